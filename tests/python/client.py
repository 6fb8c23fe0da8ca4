"""A foreign client: can somebody who has only the protocol files and grpcio use the platform?

Searches, asks, answers and reads the grant, over mTLS, in as many rounds as it is told to, and says
each step as one JSON object on a line of standard output. Nothing of Luqiao is imported: the stubs
are generated from `proto/` into the folder that the settings name.

    python client.py SETTINGS.json
"""

import json
import sys
import time
import uuid
from pathlib import Path

import grpc

settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
sys.path.insert(0, settings["stubs"])

from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from luqiao.catalog.v1 import catalog_entry_pb2, catalog_service_pb2, catalog_service_pb2_grpc  # noqa: E402
from luqiao.sharing.v1 import share_request_pb2, sharing_service_pb2, sharing_service_pb2_grpc  # noqa: E402

# How long one call may take, and how long we go on repeating one that may succeed yet, in seconds.
CALL_TIMEOUT = 10
PATIENCE = 60


def say(step, **facts):
    print(json.dumps({"step": step, **facts}, ensure_ascii=False), flush=True)


def connect(caller):
    """A channel as `caller`, who is a certificate, its key and the authority to trust."""
    read = lambda name: Path(caller[name]).read_bytes()  # noqa: E731
    credentials = grpc.ssl_channel_credentials(
        root_certificates=read("ca"), private_key=read("key"), certificate_chain=read("cert")
    )
    return grpc.secure_channel(settings["gateway"], credentials)


def reason_of(error):
    """The stable reason in the status, or an empty text if the status is not the platform's."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


def call(method, message):
    """Calls until there is an answer. What changes something carries its request_id along."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return method(message, timeout=CALL_TIMEOUT, metadata=(("accept-language", "zh-CN"),))
        except grpc.RpcError as error:
            reason = reason_of(error)
            again = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            if not (again or reason == "OUTCOME_UNKNOWN") or time.monotonic() > until:
                say("failed", code=error.code().name, reason=reason, details=error.details())
                raise
            say("repeated", code=error.code().name, reason=reason)
            time.sleep(0.1)


asker = connect(settings["asker"])
catalog = catalog_service_pb2_grpc.CatalogServiceStub(asker)
sharing = sharing_service_pb2_grpc.SharingServiceStub(asker)
asking_head = sharing_service_pb2_grpc.SharingServiceStub(connect(settings["asking_head"]))
deciding_head = sharing_service_pb2_grpc.SharingServiceStub(connect(settings["deciding_head"]))
domain = "domains/" + settings["domain"]

for number in range(settings["rounds"]):
    found = call(
        catalog.SearchEntries,
        catalog_service_pb2.SearchEntriesRequest(
            parent=domain,
            query=settings["query"],
            sharing=catalog_entry_pb2.SHARING_KIND_CONDITIONAL,
        ),
    )
    entry = next(hit.entry for hit in found.hits if hit.entry.name == settings["entry"])
    say("searched", round=number, entry=entry.name, title=entry.title, total=found.total)

    case = call(
        asking_head.CreateRequest,
        sharing_service_pb2.CreateRequestRequest(
            parent=domain,
            request=share_request_pb2.ShareRequest(
                entry=entry.name,
                system=settings["system"],
                scenario=f"维修企业信用核查 {number}",
                duty_basis="《机动车维修管理规定》",
                items=[item.name for item in entry.items],
                method=entry.sharing_method,
                term=share_request_pb2.Term(**{"from": settings["from"], "to": settings["to"]}),
                commitments=[value for value in share_request_pb2.Commitment.values() if value],
            ),
            request_id=str(uuid.uuid4()),
        ),
    )
    assert case.state == share_request_pb2.SHARE_REQUEST_STATE_SUBMITTED, case
    say("requested", round=number, request=case.name, due=case.deadline.due_date)

    answered = call(
        deciding_head.AnswerRequest,
        sharing_service_pb2.AnswerRequestRequest(
            name=case.name,
            etag=case.etag,
            answer=share_request_pb2.Answer(kind=share_request_pb2.ANSWER_KIND_AGREED),
            request_id=str(uuid.uuid4()),
        ),
    )
    assert answered.state == share_request_pb2.SHARE_REQUEST_STATE_AGREED, answered
    say("answered", round=number, request=answered.name)

    grant = call(sharing.GetGrant, sharing_service_pb2.GetGrantRequest(name=answered.grant))
    assert grant.request == case.name and list(grant.items) == [item.name for item in entry.items]
    say("granted", round=number, request=case.name, grant=grant.name)

listed, token = [], ""
while True:
    page = call(
        sharing.ListGrants,
        sharing_service_pb2.ListGrantsRequest(
            parent=domain, entry=settings["entry"], page_size=5, page_token=token
        ),
    )
    listed += [grant.name for grant in page.grants]
    token = page.next_page_token
    if not token:
        break
say("listed", grants=listed)
