"""Owns csv as text: rows out of it and into it. It knows neither files nor expressions."""
