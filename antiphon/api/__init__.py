"""The types of a description: what an API is, how to reach it, and which resources it lets one read and write.

A description is data wherever data will do, and a function in the same slot where it will not: anywhere a
:class:`Read` fits, a generator ``(client, query) -> Iterator[Page]`` fits; anywhere a :class:`Write` fits,
``(client, changes) -> Iterator[Outcome]`` fits. Nothing subclasses anything.

Placeholders in paths, parameters, headers and bodies name values (see :mod:`antiphon.fill`): every setting of the API,
and

==============  ===============================================================
``{since}``     the time from which changes are asked for, written as ``Read.time`` says
``{until}``     the time up to which they are asked for
``{fields}``    the names of the fields asked for, a list
``{id}``        the id of the record to get or to write
``{match…}``    ``field``, ``value`` and (when looking up) ``values``
``{record…}``   the record that is written, or that lines are taken from
``{records}``   the records of a batch, each as ``Write.each`` has it: a list
``{parent…}``   the record of the parent resource
``{last}``      the last key seen, when paging by key (:class:`~antiphon.paging.Keyset`)
``{upto}``      the key up to which records are counted (:class:`Parts`)
``{token}``     unique for one change, the same when it is sent again
==============  ===============================================================
"""

from antiphon.api.reading import Page, Parts, Query, Read, Reader, Then
from antiphon.api.resource import Resource, Schema
from antiphon.api.settings import COMMON_SETTINGS, CREDENTIALS, JSON, LimitHeaders, Quota, RateLimit, Setting
from antiphon.api.usual import PLACEHOLDERS
from antiphon.api.whole import Api, check_resource
from antiphon.api.wire import Auth, Encoding, Format, Paging, Reply, Request, Style
from antiphon.api.writing import Job, Write, Writer
from antiphon.outcome import Change, Nothing, One, Outcome, Record

__all__ = [
    "COMMON_SETTINGS",
    "CREDENTIALS",
    "JSON",
    "PLACEHOLDERS",
    "Api",
    "Auth",
    "Change",
    "Encoding",
    "Format",
    "Job",
    "LimitHeaders",
    "Nothing",
    "One",
    "Outcome",
    "Page",
    "Paging",
    "Parts",
    "Query",
    "Quota",
    "RateLimit",
    "Read",
    "Reader",
    "Record",
    "Reply",
    "Request",
    "Resource",
    "Schema",
    "Setting",
    "Style",
    "Then",
    "Write",
    "Writer",
    "check_resource",
]
