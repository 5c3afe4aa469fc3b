from base64 import b64decode

from shop import handle, webhook


def handler(event, _context):
    body = b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    return {"statusCode": webhook.receive(body, event["headers"], handle)}
