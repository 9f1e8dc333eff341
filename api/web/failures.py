"""Failures as pages: a person with a browser gets words and a way back, or the sign-in page first."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.problems import MUST_CHANGE, TYPE, Problem
from api.web.preferences import local_path
from api.web.render import open_page
from plant.catalogue import Text

_API = ("/api/", "/healthz", "/readyz", "/metrics", "/static/", "/openapi.json")

_TITLES = {
    400: Text("请求有误", "The request cannot be understood"),
    403: Text("没有权限", "Your role may not do this"),
    404: Text("没有这个页面", "There is no such page"),
    409: Text("已被他人更改", "It has changed meanwhile"),
    413: Text("内容过大", "Too large"),
    422: Text("填写有误", "Something is not filled in right"),
    429: Text("操作过于频繁", "Too often"),
    500: Text("系统出错", "The service made a mistake"),
    503: Text("暂时不可用", "Not available just now"),
}
_ADVICE = {
    403: Text("请联系管理员开通权限。", "Ask an administrator for the right."),
    404: Text("地址可能已失效，请从值班台重新进入。", "The address may be old; start from the duty board."),
    409: Text("返回后查看最新状态，再操作一次。", "Go back, look at how it stands now, and try again."),
    422: Text("返回后修改标出的内容。", "Go back and correct what is named below."),
    429: Text("请稍等片刻再试。", "Wait a moment and try again."),
    500: Text("错误已记入日志，请告知工程师。", "It is in the service's log; tell an engineer."),
    503: Text("数据和已保存的内容都在，请过一会儿再试。", "Nothing that was saved is lost; try again in a moment."),
}
_NO_LABEL = Text(
    "没有设备使用这个码，请对照标签上的八个字符再输一次。",
    "No machine has this code; compare it with the eight characters on the label.",
)
_LABELS = "/q/"
_FIRST = {f"{TYPE}not-signed-in": "/login", f"{TYPE}{MUST_CHANGE}": "/password"}
"""Where a person is sent before anything else."""
_ELSE = Text("请返回后重试。", "Go back and try again.")


def wants_page(request: Request) -> bool:
    """Whether a person with a browser is asking, and not a program."""
    return not request.url.path.startswith(_API) and "text/html" in request.headers.get("accept", "")


def failure_page(request: Request, problem: Problem) -> Response | None:
    """The page about a failure; whoever must sign in or choose a password is sent to do so. None for programs."""
    if not wants_page(request):
        return None
    status = problem.status
    first = _FIRST.get(problem.type)
    if first is not None:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{first}?" + urlencode({"next": here if request.method == "GET" else "/"}), 303)
    page = open_page(request, None)
    back = local_path(_path_of(request.headers.get("referer", "/")))
    answer: HTMLResponse = page.render(
        "problem.html",
        status,
        number=status,
        title=page.text(_TITLES.get(status, _TITLES[500])),
        advice=page.text(_advice(request, status)),
        detail=problem.detail,
        back=back,
    )
    return answer


def _advice(request: Request, status: int) -> Text:
    """What to do about it; whoever typed a label's code has no duty board to start from."""
    if status in (400, 404) and request.url.path.startswith(_LABELS):
        return _NO_LABEL
    return _ADVICE.get(status, _ELSE)


def _path_of(referer: str) -> str:
    """The path and query of the page that was left, without its host."""
    rest = referer.split("://", 1)[-1]
    return "/" + rest.partition("/")[2]
