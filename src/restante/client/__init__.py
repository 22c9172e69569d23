"""The Python client library behind the command line: signing up, sending, receiving, exporting.

Synchronous; everything secret is sealed and opened here, on the person's own machine. ``accounts`` opens an account
from its profile folder, ``outgoing`` sends, ``incoming`` lists, saves and deletes, ``export`` writes all to a folder.
Each module shows its use in an example that the tests run.
"""
