"""A cold start in this new interpreter: import a handler, handle one event, and say what it took.

Not imported by anything: `bench.cold_start` runs it. Arguments: the handler's module or `boto3`, its event, and
`signed` to start it with the trial's clients.
"""

import builtins
import importlib._bootstrap_external as loading
import json
import os
import sys
import time


class Context:
    """Lambda's context, as far as it is used."""

    function_name = "f"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:f"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self):
        return 30_000


def most_memory_kb():
    """Of this process: `getrusage` would count the one that it was forked from."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    name, event = sys.argv[1], json.loads(sys.argv[2])
    compiled, generated, before = [], [], set(sys.modules)
    compile_source = loading.SourceLoader.source_to_code

    def counted(self, data, path, **more):
        compiled.append(path)
        return compile_source(self, data, path, **more)

    run = builtins.exec

    def counted_text(text, *namespaces):
        if not namespaces:  # it means those of its caller
            frame = sys._getframe(1)
            namespaces = frame.f_globals, frame.f_locals
        if isinstance(text, str) and namespaces[0].get("__name__", "").startswith("payflowx"):
            generated.append(text)
        run(text, *namespaces)

    loading.SourceLoader.source_to_code = counted
    builtins.exec = counted_text
    if sys.argv[3:] == ["signed"]:
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "trials"))
    started = time.process_time()
    if sys.argv[3:] == ["signed"]:
        sys.modules["payflowx.adapters.platform.aws"] = __import__("signed_aws")
    if name == "boto3":
        import boto3

        boto3.client("dynamodb"), boto3.client("sqs")
        imported = ended = time.process_time()
    else:
        handler = __import__(name, fromlist=["handler"]).handler
        imported = time.process_time()
        if event is not None:
            handler(event, Context())
        ended = time.process_time()
    new = set(sys.modules) - before
    print(
        json.dumps(
            {
                "importMs": (imported - started) * 1000,
                "firstMs": (ended - imported) * 1000,
                "modules": len(new),
                "ours": sum(module.split(".")[0] == "payflowx" for module in new),
                "compiled": len(compiled),
                "generated": len(generated),
                "rssMb": most_memory_kb() / 1024,
            }
        )
    )


main()
