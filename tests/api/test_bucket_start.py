"""What a bucket must be like is looked at before the first byte is taken; each thing that is missing has its sentence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from restante.server.blobs.objects import Bucket
from restante.server.blobs.remote import RemoteBlobs, UnusableBlobs
from restante.server.blobs.rules import harmful
from restante.server.blobs.s3 import open_bucket
from restante.server.uploads.ledger import BlobLedger
from tests import chaos, seaweed, signed
from tests.ledgers import ledger_in
from tests.seaweed import Seaweed

PAGES = ("https://post.example",)


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobLedger]:
    with ledger_in(tmp_path_factory.mktemp("ledger")) as found:
        yield found


def check(url: str, ledger: BlobLedger, *, read_by: tuple[str, ...] | None = None) -> None:
    objects = open_bucket(Bucket.parse(url), key=seaweed.KEY, secret=seaweed.SECRET)
    RemoteBlobs(objects, ledger).check(read_by=read_by)


def test_a_bucket_that_is_well_is_taken_and_left_as_it_was(weed, ledger):
    check(weed.url(prefix="/well"), ledger, read_by=PAGES)
    objects = open_bucket(Bucket.parse(weed.url()), key=seaweed.KEY, secret=seaweed.SECRET)
    assert list(objects.names("")) == []


@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("PUT", "store objects"),
        ("GET", "read objects"),
        ("LIST", "list objects below the prefix"),
        ("POST", "remove objects"),
    ],
)
def test_each_right_that_is_missing_is_named(weed, ledger, method, missing):
    with chaos.before(weed.port) as (bad_day, port):
        bad_day.denied = method
        with pytest.raises(UnusableBlobs, match=f"RESTANTE_BLOB_KEY may not {missing}"):
            check(weed.url(port=port), ledger)


@pytest.mark.parametrize(("ahead_s", "said"), [(-300, "5 minutes ahead"), (300, "5 minutes behind")])
def test_clocks_that_differ_are_named(weed, ledger, ahead_s, said):
    with chaos.before(weed.port) as (bad_day, port):
        bad_day.headers["date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
        with pytest.raises(UnusableBlobs, match=f"clock is {said} of the bucket's"):
            check(weed.url(port=port), ledger)


def test_a_clock_that_is_a_little_off_is_no_fault(weed, ledger):
    with chaos.before(weed.port) as (bad_day, port):
        bad_day.headers["date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        check(weed.url(port=port), ledger)


def rule(*parts: str, prefix: str = "videos/", status: str = "Enabled") -> bytes:
    begin = f"<Rule><ID>old</ID><Status>{status}</Status><Filter><Prefix>{prefix}</Prefix></Filter>"
    space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f"<LifecycleConfiguration {space}>{begin}{''.join(parts)}</Rule></LifecycleConfiguration>".encode()


DAYS = "<Expiration><Days>30</Days></Expiration>"
ASLEEP = "<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition>"
LESS = "<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>"
NONCURRENT = "<NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays></NoncurrentVersionExpiration>"
ABORT = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"


@pytest.mark.parametrize("prefix", ["videos/", "", "videos/upl_a", "vid"])
@pytest.mark.parametrize("harm", [DAYS, ASLEEP])
def test_rules_that_would_take_videos_away_are_found(prefix, harm):
    assert harmful(rule(harm, prefix=prefix), below="videos/") == ["old"]


@pytest.mark.parametrize(
    "rules",
    [
        rule(DAYS, prefix="elsewhere/"),
        rule(DAYS, status="Disabled"),
        rule(NONCURRENT),
        rule(ABORT),
        rule(LESS),
        rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
        rule(DAYS).replace(b"<Prefix>videos/</Prefix>", b"<Tag><Key>a</Key><Value>b</Value></Tag>"),
        b"",
        b"no XML",
    ],
)
def test_rules_that_take_nothing_away_are_let_be(rules):
    assert harmful(rules, below="videos/") == []


def test_a_start_under_a_rule_that_expires_pieces_is_refused(weed, ledger):
    url = weed.url(prefix="/videos")
    try:
        assert signed.ask(weed, "PUT", "lifecycle", rule(NONCURRENT, ABORT)).status_code == 200
        check(url, ledger)
        assert signed.ask(weed, "PUT", "lifecycle", rule(DAYS)).status_code == 200
        with pytest.raises(UnusableBlobs, match=r"a lifecycle rule would take videos away \(old\)"):
            check(url, ledger)
        check(weed.url(prefix="/others"), ledger)
    finally:
        signed.ask(weed, "DELETE", "lifecycle")


def test_where_rules_are_not_shown_what_is_said_of_an_object_counts(weed, ledger):
    with chaos.before(weed.port) as (bad_day, port):
        bad_day.denied = "lifecycle"
        check(weed.url(port=port), ledger)
        bad_day.headers["x-amz-expiration"] = 'expiry-date="Fri, 01 Jan 2027 00:00:00 GMT", rule-id="old"'
        with pytest.raises(UnusableBlobs, match="a lifecycle rule would take videos away"):
            check(weed.url(port=port), ledger)


# Where clients read from it themselves


def test_pages_that_the_bucket_does_not_let_in_are_named(weed, ledger):
    allowing = "<CORSConfiguration><CORSRule><AllowedOrigin>{}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>range</AllowedHeader></CORSRule></CORSConfiguration>"
    try:
        signed.ask(weed, "PUT", "cors", allowing.format("https://other.example").encode())
        with pytest.raises(UnusableBlobs, match=r"does not let pages of https://post.example read \(CORS\)"):
            check(weed.url(), ledger, read_by=PAGES)
        check(weed.url(), ledger)
        signed.ask(weed, "PUT", "cors", allowing.format(PAGES[0]).encode())
        check(weed.url(), ledger, read_by=PAGES)
    finally:
        signed.ask(weed, "DELETE", "cors")


def test_addresses_that_lead_nowhere_are_named(weed, ledger):
    with chaos.before(weed.port) as (bad_day, port):
        bad_day.fault = "NoSuchBucket"
        with pytest.raises(UnusableBlobs, match="it answers 404 to the addresses that the server signs"):
            check(f"{weed.url()}&public=http://127.0.0.1:{port}", ledger, read_by=PAGES)
    with pytest.raises(UnusableBlobs, match="clients read by https only"):
        check(f"{weed.url()}&public=http://videos.example", ledger, read_by=PAGES)
    check(f"{weed.url()}&public=https://127.0.0.1:9", ledger, read_by=PAGES)  # perhaps reached from elsewhere
