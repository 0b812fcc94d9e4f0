# The command `flowscript` in a small image. `docker stop` sends SIGTERM: clean-up runs, and the status is 143.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/run.lock requirements/run.lock
RUN python -m venv /opt/flowscript && /opt/flowscript/bin/pip install -q --no-cache-dir -r requirements/run.lock
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src src
RUN /opt/flowscript/bin/pip install -q --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /opt/flowscript /opt/flowscript
ENV PATH=/opt/flowscript/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 10001 flow
USER flow
WORKDIR /work
# In the form of a list: no shell stands between the signal and the run.
ENTRYPOINT ["flowscript"]
CMD ["--help"]
STOPSIGNAL SIGTERM
