"""The config that mmengine writes into a checkpoint, read without running it."""

import ast
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config


def stored_config(meta: Mapping[str, Any]) -> Config | None:
    """The config that mmengine wrote into the `meta` of a checkpoint; nothing in it is run.

    Returns:
        None where there is no config, or where its text is more than names with plain values.
    """
    try:
        tree = DictCalls().visit(ast.parse(meta.get('cfg', '')))
        values = {statement.targets[0].id: ast.literal_eval(statement.value) for statement in tree.body}
        return Config(values) if values else None
    except Exception:  # not a config of that form, or nested too deeply for the parser
        return None


class DictCalls(ast.NodeTransformer):
    """Replaces calls of `dict` in the text of a config by dict literals, which `ast.literal_eval` accepts."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id != 'dict':
            return node
        if node.args:  # dict({...}), for keys that are no identifiers
            return node.args[0]
        return ast.Dict([ast.Constant(keyword.arg) for keyword in node.keywords], [k.value for k in node.keywords])
