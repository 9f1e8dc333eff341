"""The words for what is done to accounts."""

from __future__ import annotations

from collections.abc import Mapping

from api.web.words import ROLES
from maintenance.ledger.audit import UNKNOWN, Action, Entry
from maintenance.people import Role
from plant.catalogue import Text

ACTIONS: Mapping[Action, Text] = {
    Action.USER_ADDED: Text("新建账号", "Account made"),
    Action.ROLE_SET: Text("更改角色", "Role changed"),
    Action.USER_DISABLED: Text("停用账号", "Account disabled"),
    Action.USER_ENABLED: Text("启用账号", "Account enabled"),
    Action.PASSWORD_SET: Text("修改密码", "Password changed"),
    Action.PASSWORD_RESET: Text("重置密码", "Password reset"),
    Action.TOKEN_ADDED: Text("新建令牌", "Token made"),
    Action.TOKENS_REVOKED: Text("吊销令牌", "Tokens revoked"),
    Action.SIGNED_IN: Text("登录", "Signed in"),
    Action.SIGN_IN_FAILED: Text("登录失败", "Sign-in failed"),
    Action.SIGNED_OUT: Text("退出登录", "Signed out"),
    Action.SESSIONS_REVOKED: Text("强制退出", "Sessions ended"),
    Action.TOPIC_BOUND: Text("绑定主题", "Topic bound"),
    Action.TOPIC_IGNORED: Text("忽略主题", "Topic ignored"),
    Action.TOPIC_UNIGNORED: Text("取消忽略主题", "Topic back on the list"),
    Action.DISCOVERY_SET: Text("设置监听主题", "Topics listened to"),
    Action.COMMISSIONED: Text("投用设备", "Equipment commissioned"),
    Action.DECOMMISSIONED: Text("设备退回调试", "Equipment back to commissioning"),
}

_NOBODY = Text("没有这个用户名", "no such name")
_COUNTED = frozenset({Action.TOKENS_REVOKED, Action.SESSIONS_REVOKED})


def subject_text(entry: Entry) -> Text:
    """Whose account it was about."""
    return _NOBODY if entry.subject == UNKNOWN else Text(entry.subject, entry.subject)


def author_text(entry: Entry) -> Text:
    """Who did it."""
    if entry.author == UNKNOWN:
        return Text("", "")
    return Text("系统", "the service") if entry.author == "service" else Text(entry.author, entry.author)


def detail_text(entry: Entry) -> Text:
    """What else there is to say of it: roles by their words, counts with what was counted, addresses as they are."""
    match entry.action:
        case Action.USER_ADDED:
            return _role(entry.detail)
        case Action.ROLE_SET:
            before, _, after = (_role(part) for part in entry.detail.partition(" → "))
            return Text(f"{before.zh} → {after.zh}", f"{before.en} → {after.en}")
        case action if action in _COUNTED:
            return Text(f"{entry.detail} 个", entry.detail)
        case _:
            return Text(entry.detail, entry.detail)


def _role(value: str) -> Text:
    return ROLES[Role(value)] if value in set(Role) else Text(value, value)
