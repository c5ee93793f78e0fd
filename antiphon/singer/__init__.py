"""Singer: every API's tap and target, on the Singer SDK. Nothing outside of this package knows singer-sdk.

=============  ==========================================================================
``tap``        the class that every tap is a few lines of
``stream``     one resource as a stream: what is read, from when, and how it is resumed
``state``      bookmarks: what a tap remembers between runs, and how it is written
``catalog``    what a catalog may ask for, and how one that lacks fields is completed
``config``     a plugin's settings: their JSON Schema, and how they are found and checked
``cli``        the command line: an error is one line, a closed stdout is silence
``messages``   messages written in blocks, so that a pipe is not flushed for every record
``spared``     what the SDK imports and is not used here is not imported
=============  ==========================================================================
"""

from contextlib import suppress

from antiphon.singer.spared import UNUSED, spared

# An SDK that needs more of them than a call is imported whole, by the modules of this package.
with suppress(Exception), spared(*UNUSED):
    import singer_sdk  # noqa: F401
