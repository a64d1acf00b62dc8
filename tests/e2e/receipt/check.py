"""Checks a receipt without any of our code: Ed25519 as in RFC 8032, section 5.1. RECEIPT KEYS FILE"""
import base64
import hashlib
import json
import sys
from pathlib import Path

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # Of minus one.
Point = tuple[int, int]


def x_of(y: int, sign: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        raise ValueError("not a point of the curve")
    return x if x % 2 == sign else P - x


def decoded(data: bytes) -> Point:
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    return x_of(y, number >> 255), y


def added(one: Point, two: Point) -> Point:
    (a, b), (c, d) = one, two
    product = D * a * b * c * d % P
    return (a * d + b * c) * pow(1 + product, -1, P) % P, (b * d + a * c) * pow(1 - product, -1, P) % P


def times(factor: int, point: Point) -> Point:
    result = (0, 1)
    while factor:
        if factor & 1:
            result = added(result, point)
        point, factor = added(point, point), factor >> 1
    return result


BASE_Y = 4 * pow(5, -1, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y)


def signed(message: bytes, signature: bytes, key: bytes) -> bool:
    if len(signature) != 64 or (scalar := int.from_bytes(signature[32:], "little")) >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return times(scalar, BASE) == added(decoded(signature[:32]), times(challenge, decoded(key)))


def canonical(receipt: dict) -> bytes:
    """RFC 8785; with only strings and whole numbers in it that is sorted keys and no blanks."""
    return json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


receipt, keys = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
file = Path(sys.argv[3]).read_bytes()
published = {key["key_id"]: base64.b64decode(key["public_key"], validate=True) for key in keys["keys"]}
key = published[receipt["key_id"]]
if hashlib.sha256(key).hexdigest()[:16] != receipt["key_id"]:
    raise SystemExit("key_id is not that of the published key")
if receipt["type"] != "assay-receipt/1":
    raise SystemExit(f"type {receipt['type']}")
signature = base64.b64decode(receipt.pop("signature"), validate=True)
said = "right" if signed(canonical(receipt), signature, key) else "wrong"
forged = "right" if signed(canonical(receipt | {"size": receipt["size"] + 1}), signature, key) else "wrong"
same = (receipt["sha256"], receipt["size"]) == (hashlib.sha256(file).hexdigest(), len(file))
print(f"signature {said}, signature of a changed receipt {forged}, digest and size {'' if same else 'not '}those of the file")
