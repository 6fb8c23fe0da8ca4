#!/usr/bin/env python3
"""Checks what Luqiao hands out, without Luqiao: is this in the ledger, and is it still the same ledger?

    verify.py receipt RECEIPT.json --trust TRUST.json
    verify.py consistency HELD_HEAD.json PROOF.json --trust TRUST.json
    verify.py cosignature COSIGNATURE.json --trust TRUST_OF_THE_COSIGNER.json
    verify.py archive SEGMENT... [--trust TRUST.json]

It needs the file, the domain's trust anchor, the standard library and `cryptography`; no line of it is shared
with the platform. `docs/receipts.md` says what it follows. Segments of an archive are given in their order,
from the first one on; with a trust anchor the last one must carry a signed head.

Exit: 0 proven, 1 not proven, 2 something cannot be read, 3 the ledger uses SM3/SM2, which neither the standard
library nor `cryptography` checks everywhere: use `luqiao receipt verify`.
"""

import argparse
import base64
import hashlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROVEN, NOT_PROVEN, UNREADABLE, NATIONAL = 0, 1, 2, 3


class Refused(Exception):
    """It proves nothing, and why: a stable name and a sentence."""

    def __init__(self, reason, detail):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class National(Exception):
    """The ledger uses SM3 and SM2."""


# Reading: both spellings of names, numbers as numbers or texts, times as milliseconds or RFC 3339.


def field(value, name, default=None):
    head, *rest = name.split("_")
    camel = head + "".join(word.capitalize() for word in rest)
    found = value.get(name, value.get(camel, default))
    if found is None:
        raise ValueError(f"there is no {name}")
    return found


def number(value, name, default=None):
    return int(field(value, name, default))


def octets(text):
    return base64.b64decode(text, validate=True)


def hash_of(text):
    value = bytes.fromhex(text) if len(text) == 64 else octets(text)
    if len(value) != 32:
        raise ValueError("a hash has 32 bytes")
    return value


def millis(value):
    value = field(value, "time")
    if isinstance(value, int) or value.isdigit():
        return int(value)
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


# RFC 9162, section 2.1.


def leaf_hash(record):
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_path(leaf, index, size, path):
    """Section 2.1.3.2; None if no tree of that size could have the path."""
    if not 0 <= index < size:
        return None
    fn, sn, value = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            value = node_hash(sibling, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    return value if sn == 0 else None


def extends(first, second, path, first_root, second_root):
    """Section 2.1.4.2."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    path = list(path)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


class Frontier:
    """The right edge of a growing tree: its complete subtrees, the largest first."""

    def __init__(self, size, peaks):
        if len(peaks) != bin(size).count("1"):
            raise Refused("header_wrong", "there are not as many subtrees as the size has binary ones")
        self.size, self.peaks = size, list(peaks)

    def push(self, leaf):
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        value = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            value = node_hash(peak, value)
        return value


# CBOR (RFC 8949), as far as it occurs: numbers, bytes, texts, arrays, null.


class Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise ValueError("CBOR ends early")
        self.at += count
        return piece

    def item(self, depth=0):
        first = self.take(1)[0]
        major, value = first >> 5, first & 31
        if first == 0xF6:
            return None
        if 24 <= value <= 27:
            value = int.from_bytes(self.take(1 << (value - 24)), "big")
        elif value > 27 or depth > 8:
            raise ValueError("CBOR of a kind that does not occur here")
        if major == 0:
            return value
        if major == 2:
            return self.take(value)
        if major == 3:
            return self.take(value).decode("utf-8")
        if major == 4:
            return [self.item(depth + 1) for _ in range(value)]
        raise ValueError("CBOR of a kind that does not occur here")


def ulid(value):
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = int.from_bytes(value, "big")
    return "".join(digits[value >> 5 * place & 31] for place in range(25, -1, -1))


def beginning(record):
    """Domain, place and subject that a record names; None if it is not the beginning of one."""
    try:
        if record[0] != 1:
            return None
        reader = Cbor(record[1:])
        first = reader.take(1)[0]
        if first >> 5 != 4 or not 5 <= first & 31 <= 23:
            return None
        domain, _generation, sequence, _time, (of, (kind, ids)) = (reader.item() for _ in range(5))
        kinds = ["", "/entries/", "/requests/", "/grants/", "/organizations/"]
        subject = f"domains/{of}"
        if kind:
            subject += kinds[kind] + ulid(ids[0])
        return domain, sequence, subject
    except (IndexError, ValueError, TypeError, UnicodeDecodeError):
        return None


# Heads, certificates, anchors.


def of_anchor(anchor, **found):
    expected = {
        "domain": anchor["domain"],
        "cluster_id": anchor["cluster_id"],
        "hash_algorithm": anchor["hash"],
        "signature_algorithm": anchor["algorithm"],
    }
    for what, value in found.items():
        if value.lower() != expected[what].lower():
            raise Refused("not_of_anchor", f"{what} is {value}, the trust anchor is for {expected[what]}")
    names = (anchor["hash"].lower(), anchor["algorithm"].lower())
    if names == ("sm3", "sm2"):
        raise National()
    if names != ("sha256", "ed25519"):
        raise Refused("not_of_anchor", f"the trust anchor names {names[0]} with {names[1]}")


def head_text(head):
    return "\n".join(
        [
            "luqiao-tree-head-v1",
            field(head, "domain"),
            field(head, "cluster_id"),
            str(number(head, "generation", 0)),
            str(number(head, "tree_size")),
            hash_of(field(head, "root_hash")).hex(),
            str(millis(head)),
            field(head, "hash_algorithm").lower(),
            "",
        ]
    ).encode()


def check_signed(message, signature, certificate, time_ms, domain, cluster_id, anchor):
    """Whether a node of the cluster signed it with a key for heads; returns the node."""
    wrong = lambda detail: Refused("certificate_wrong", detail)  # noqa: E731
    try:
        certificate = x509.load_der_x509_certificate(certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise wrong(f"the certificate cannot be read: {error}") from error
    if len(uris) != 1:
        raise wrong(f"the certificate has {len(uris)} URIs instead of one")
    parts = uris[0].split("/")
    node = parts[4] if len(parts) > 4 else ""
    if not node or uris[0] != f"spiffe://{domain}.luqiao/node/{node}/head/{cluster_id}":
        raise wrong(f"the certificate is made out to {uris[0]}")
    if is_authority(certificate):
        raise wrong("the certificate is an authority's")
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise wrong(f"the key cannot be read: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise wrong("the key is not Ed25519")
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise Refused("signature_wrong", "the signature is not that of the certificate's key") from error

    moment = datetime.fromtimestamp(time_ms // 1000, timezone.utc)
    for pem in anchor["ca_certificates"]:
        authority = x509.load_pem_x509_certificate(pem.encode())
        if not is_authority(authority):
            continue
        try:
            certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError):
            continue
        for one in (certificate, authority):
            if not one.not_valid_before_utc <= moment <= one.not_valid_after_utc:
                raise Refused("not_valid_then", "a certificate was not valid at that time")
        return node
    raise Refused("authority_unknown", "no authority of the trust anchor issued the certificate")


def is_authority(certificate):
    try:
        extensions = certificate.extensions
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        return False
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def check_head(head, anchor):
    of_anchor(
        anchor,
        domain=field(head, "domain"),
        cluster_id=field(head, "cluster_id"),
        hash_algorithm=field(head, "hash_algorithm"),
        signature_algorithm=field(head, "signature_algorithm"),
    )
    return check_signed(
        head_text(head),
        octets(field(head, "signature")),
        octets(field(head, "certificate")),
        millis(head),
        field(head, "domain"),
        field(head, "cluster_id"),
        anchor,
    )


# The four questions.


def receipt(arguments, anchor):
    value = load(arguments.file)
    head = field(value, "tree_head")
    name, index, size = field(value, "name"), number(value, "leaf_index", 0), number(head, "tree_size")
    of_anchor(anchor, hash_algorithm=field(head, "hash_algorithm"))
    record = octets(field(value, "record"))
    path = [hash_of(text) for text in field(value, "inclusion_proof", [])]
    if root_of_path(leaf_hash(record), index, size, path) != hash_of(field(head, "root_hash")):
        raise Refused("not_included", "the record is not in the tree that the head signs")
    found = beginning(record)
    if found != (field(head, "domain"), index, name):
        raise Refused("about_something_else", f"the record is about {found}, not about {name}")
    node = check_head(head, anchor)
    for fork in anchor.get("forks", []):
        if fork["generation"] == number(head, "generation", 0) and index >= fork["tree_size"]:
            raise Refused("lost_in_failover", f"generation {fork['generation']} was left before this record")
    return f"record {index} of {size} in the ledger of {anchor['domain']} is about {name}; signed by node {node}"


def consistency(arguments, anchor):
    held, proof = load(arguments.held), load(arguments.file)
    newest = field(proof, "second_head")
    check_head(held, anchor)
    check_head(newest, anchor)
    first, second = number(held, "tree_size"), number(newest, "tree_size")
    if (first, second) != (number(proof, "first_size"), number(proof, "second_size")):
        raise Refused("unknown", "the proof is about other heads")
    path = [hash_of(text) for text in field(proof, "path", [])]
    roots = (hash_of(field(held, "root_hash")), hash_of(field(newest, "root_hash")))
    if not extends(first, second, path, *roots):
        raise Refused("rewritten", f"the ledger of {second} records does not extend the {first} that were promised")
    return f"the {second} records of {anchor['domain']} extend the {first} that were promised"


def cosignature(arguments, anchor):
    value = load(arguments.file)
    head = field(value, "tree_head")
    cosigner, cluster = field(value, "cosigner"), field(value, "cosigner_cluster_id")
    algorithm = field(value, "signature_algorithm")
    of_anchor(anchor, domain=cosigner, cluster_id=cluster, signature_algorithm=algorithm)
    time_ms = millis(value)
    message = f"luqiao-cosignature-v1\n{cosigner}\n{cluster}\n{time_ms}\n".encode() + head_text(head)
    signature, certificate = octets(field(value, "signature")), octets(field(value, "certificate"))
    node = check_signed(message, signature, certificate, time_ms, cosigner, cluster, anchor)
    return f"node {node} of {cosigner} cosigned {number(head, 'tree_size')} records of {field(head, 'domain')}"


class Segment:
    """A segment of an archive: a sequence of CBOR byte strings, the last one the hash of all before."""

    def __init__(self, path):
        self.data, self.at = Path(path).read_bytes(), 0
        if self.bytes_item("its mark", "not_a_segment") != b"luqiao-archive-1":
            raise Refused("not_a_segment", "this is no segment of an archive")
        self.header = self.bytes_item("its header")
        try:
            fields = Cbor(self.header).item()
            (self.domain, self.cluster_id, suite, self.number, self.first, self.through) = fields[:6]
            (self.root_before, self.root, self.previous) = fields[6:9]
        except (ValueError, TypeError, UnicodeDecodeError) as error:
            raise Refused("header_wrong", f"the header cannot be read: {error}") from error
        if suite == 1:
            raise National()
        peaks = self.bytes_item("its subtrees")
        frontier = Frontier(self.first, [peaks[at : at + 32] for at in range(0, len(peaks), 32)])
        if frontier.root() != self.root_before:
            raise Refused("header_wrong", "the subtrees do not give the root before it")
        for place in range(self.first, self.through):
            record = self.bytes_item(f"record {place}")
            found = beginning(record)
            if found is None or found[:2] != (self.domain, place):
                raise Refused("record_misplaced", f"record {place} is not what stands in its place")
            frontier.push(leaf_hash(record))
        if frontier.root() != self.root:
            raise Refused("root_wrong", "the records do not give the root of the segment")
        head = self.bytes_item("its head")
        self.head = self.signed_head(head) if head else None
        digest = hashlib.sha256(self.data[: self.at]).digest()
        if self.bytes_item("its digest") != digest:
            raise Refused("digest_wrong", "the bytes are not those that were written")
        if self.at != len(self.data):
            raise Refused("longer", "something follows the end of the segment")

    def bytes_item(self, within, reason="truncated"):
        reader = Cbor(self.data)
        reader.at = self.at
        try:
            if self.data[self.at] >> 5 != 2:
                raise ValueError("no byte string")
            item = reader.item()
        except (IndexError, ValueError) as error:
            raise Refused(reason, f"the file ends within {within}") from error
        self.at = reader.at
        return item

    def signed_head(self, data):
        try:
            (domain, cluster, generation, size, root, time_ms, suite), signature, certificate = Cbor(data).item()
        except (ValueError, TypeError, UnicodeDecodeError) as error:
            raise Refused("head_wrong", f"the head cannot be read: {error}") from error
        if (domain, cluster, suite, size, root) != (self.domain, self.cluster_id, 0, self.through, self.root):
            raise Refused("head_wrong", "the head in the segment is not one over its root")
        return {
            "domain": domain,
            "cluster_id": cluster.hex(),
            "generation": generation,
            "tree_size": size,
            "root_hash": root.hex(),
            "time": time_ms,
            "hash_algorithm": "sha256",
            "signature_algorithm": "ed25519",
            "signature": base64.b64encode(signature).decode(),
            "certificate": base64.b64encode(certificate).decode(),
        }

    def link(self):
        return hashlib.sha256(b"luqiao-segment-v1\n" + self.header).digest()


def archive(arguments, anchor):
    last = None
    for path in arguments.files:
        try:
            segment = Segment(path)
            expected = 1 if last is None else last.number + 1
            if segment.number != expected:
                raise Refused("missing", f"segment {expected} is missing; {segment.number} comes in its place")
            if last is None:
                fits = (segment.first, segment.previous) == (0, bytes(32))
            else:
                fits = (
                    (segment.domain, segment.cluster_id) == (last.domain, last.cluster_id)
                    and (segment.first, segment.root_before) == (last.through, last.root)
                    and segment.previous == last.link()
                )
            if not fits:
                raise Refused("swapped", f"segment {segment.number} does not continue the one before it")
        except Refused as refused:
            raise Refused(refused.reason, f"{path}: {refused.detail}") from refused
        last = segment
    if anchor is None:
        return f"records 0 to {last.through - 1} of {last.domain} are whole; without a trust anchor nobody vouches for them"
    if last.head is None:
        raise Refused("head_wrong", "the last segment carries no head")
    node = check_head(last.head, anchor)
    return f"records 0 to {last.through - 1} of {last.domain} are whole; signed by node {node}"


def load(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    questions = parser.add_subparsers(required=True)
    for question in (receipt, consistency, cosignature, archive):
        one = questions.add_parser(question.__name__)
        one.set_defaults(question=question)
        one.add_argument("--trust", required=question is not archive)
        if question is consistency:
            one.add_argument("held")
        if question is archive:
            one.add_argument("files", nargs="+")
        else:
            one.add_argument("file")
    arguments = parser.parse_args()
    try:
        anchor = load(arguments.trust) if arguments.trust else None
        print(f"proven: {arguments.question(arguments, anchor)}")
        return PROVEN
    except Refused as refused:
        print(f"not proven [{refused.reason}]: {refused.detail}")
        return NOT_PROVEN
    except National:
        print("the ledger uses SM3 and SM2: check it with `luqiao receipt verify`")
        return NATIONAL
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
