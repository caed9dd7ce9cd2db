"""Whatever /openapi.json describes, tried by schemathesis: no server errors, and no answer
that is not described. `SKYHAUL_SCHEMA_SECONDS` says for how long; half a minute by default."""

import os
import subprocess
import sys

from skyhaul import BUSY

SECONDS = int(os.environ.get("SKYHAUL_SCHEMA_SECONDS", 30))

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
]

#: A stream does not end, and who steers the clock makes the others wait.
LEFT_ALONE = ["/api/stream", "/api/simulation", "/api/simulation/step"]


def test_what_is_described_is_what_is_answered(servers):
    server = servers.start(BUSY, "--speed", "10")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://{server.address}/openapi.json"]
    command += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"]
    command += ["--max-time", str(SECONDS), "--request-timeout", "20", "--seed", "4"]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"]
    for path in LEFT_ALONE:
        command += ["--exclude-path", path]
    tried = subprocess.run(command, capture_output=True, text=True, cwd=server.data.parent)
    assert tried.returncode == 0, tried.stdout[-20_000:] + tried.stderr[-2_000:]
    assert server.http.get("/healthz").status_code == 200
