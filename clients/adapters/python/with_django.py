from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from shop import handle, webhook


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=webhook.receive(request.body, request.headers, handle))
