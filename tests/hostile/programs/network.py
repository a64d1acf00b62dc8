"""Everything beyond the sandbox's own, empty network: neighbours, the metadata address, names, loopback."""
import errno, socket, sys
from hostile import begin, check, held
begin()
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "169.254.169.254"), (socket.AF_INET, "8.8.8.8"), (socket.AF_INET, "10.0.0.1"),
                        (socket.AF_INET6, "::1"), (socket.AF_INET6, "2001:4860:4860::8888")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as attempt:
            attempt.settimeout(1)
            try:
                attempt.connect((address, 53))
                check(f"{address} is not reached", False)
            except OSError as error:
                check(f"{address} gives {error}", error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN))
with socket.socket() as server, socket.socket() as client:
    server.bind(("0.0.0.0", 0))
    server.listen()
    client.settimeout(1)
    try:
        client.connect(("127.0.0.1", server.getsockname()[1]))
        check("loopback is down", False)
    except OSError as error:
        check("loopback is down", error.errno == errno.ENETUNREACH)
try:
    socket.getaddrinfo("example.org", 80)
    check("no names", False)
except OSError:
    check("no names", True)
held()
