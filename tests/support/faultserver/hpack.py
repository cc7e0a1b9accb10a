# SPDX-License-Identifier: MIT
"""HPACK (RFC 7541): decoding in full, encoding as plain literals."""

STATIC = [("", "")] + [(line.partition("=")[0], line.partition("=")[2]) for line in """
:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https
:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500
accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept
access-control-allow-origin|age|allow|authorization|cache-control|content-disposition
content-encoding|content-language|content-length|content-location|content-range|content-type
cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range
if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate
proxy-authorization|range|referer|refresh|retry-after|server|set-cookie
strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate
""".strip().replace("\n", "|").split("|")]

# Appendix B is a canonical code: the lengths (as letters, A for 5 bits) give the codes.
LENGTHS = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF"
    "IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX"
    "PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS"
    "VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV")


def build_codes():
    codes, code, last = {}, 0, 0
    for size, symbol in sorted((ord(letter) - 60, i) for i, letter in enumerate(LENGTHS)):
        code <<= size - last
        codes[(size, code)] = symbol
        code, last = code + 1, size
    return codes


CODES = build_codes()


def unhuffman(data):
    out, code, size = bytearray(), 0, 0
    for byte in data:
        for place in range(7, -1, -1):
            code, size = code << 1 | byte >> place & 1, size + 1
            symbol = CODES.get((size, code))
            if symbol is not None:
                out.append(symbol)
                code, size = 0, 0
    return bytes(out)  # what is left is padding


class Decoder:
    def __init__(self):
        self.dynamic = []
        self.limit = 4096

    def entry(self, index):
        if index < len(STATIC):
            return STATIC[index]
        return self.dynamic[index - len(STATIC)]

    def remember(self, field):
        self.dynamic.insert(0, field)
        while sum(len(n) + len(v) + 32 for n, v in self.dynamic) > self.limit:
            self.dynamic.pop()

    def decode(self, data):
        fields, at = [], 0
        while at < len(data):
            first = data[at]
            if first & 0x80:
                index, at = read_int(data, at, 7)
                fields.append(self.entry(index))
            elif first & 0xE0 == 0x20:
                self.limit, at = read_int(data, at, 5)
            else:
                indexed = first & 0x40
                index, at = read_int(data, at, 6 if indexed else 4)
                name = self.entry(index)[0]
                if index == 0:
                    name, at = read_text(data, at)
                value, at = read_text(data, at)
                fields.append((name, value))
                if indexed:
                    self.remember((name, value))
        return fields


def read_int(data, at, bits):
    value, at = data[at] & ((1 << bits) - 1), at + 1
    if value < (1 << bits) - 1:
        return value, at
    shift = 0
    while True:
        byte, at = data[at], at + 1
        value += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def read_text(data, at):
    coded = data[at] & 0x80
    size, at = read_int(data, at, 7)
    text = data[at:at + size]
    return (unhuffman(text) if coded else bytes(text)).decode("latin-1"), at + size


def write_text(text):
    data = text.encode("latin-1", "replace")
    size = len(data)
    if size < 127:
        return bytes([size]) + data
    prefix, size = bytearray([127]), size - 127
    while size >= 128:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + data


def encode(fields):
    """Literals without indexing."""
    return b"".join(b"\x00" + write_text(name) + write_text(value) for name, value in fields)
