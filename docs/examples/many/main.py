"""Fetches many pages, and says how many it has; the program's own deadline bounds it once more."""

import trio

import flowscript_trio as fs


async def fetch(flow, urls, within="60s"):
    """The pages that came in time, and the URLs of those that failed."""
    run = await fs.run(flow, config={"urls": urls, "within": within})
    pages, failed = run.output["pages"], run.output["failed"]
    print(f"{len(pages)} of {len(urls)} pages in {run.duration:.1f} s, {len(failed)} failed")
    return pages, failed


async def main():
    flow = fs.load("many.xml")
    urls = [f"https://api.example.com/items/{number}" for number in range(200)]
    with trio.fail_after(90):  # a run that takes longer is cancelled, and trio.TooSlowError raised
        await fetch(flow, urls)


if __name__ == "__main__":
    trio.run(main)
