"""A shop's desk in plain componentize-py: no SDK of any host."""

import sys

from componentize_py_types import Err, Ok
from wit_world import WitWorld
from wit_world.exports import Desk as DeskProtocol
from wit_world.exports.desk import Refusal_Count, Refusal_Currencies, Refusal_Empty
from wit_world.imports.types import Line, Money, Order


class Desk(DeskProtocol):
    def same(self, orders: list[Order]) -> list[Order]:
        return orders

    def total(self, order: Order) -> Money:
        if not order.lines:
            raise Err(Refusal_Empty())
        currency = order.lines[0].price.currency
        for line in order.lines:
            if line.price.currency != currency:
                raise Err(Refusal_Currencies((currency, line.price.currency)))
            if line.count < 1:
                raise Err(Refusal_Count(line))
        return Money(sum(cost(line) for line in order.lines), currency)

    def dearest(self, orders: list[Order], most: int) -> list[tuple[int, Line]]:
        lines = [(order.id, line) for order in orders for line in order.lines]
        lines.sort(key=lambda pair: cost(pair[1]), reverse=True)
        return lines[:most]

    def price_of(self, order: Order, article: int) -> Money:
        return {line.article: line.price for line in order.lines}[article]

    def ship(self, order: Order) -> str:
        if not isinstance(order.reserved, Ok):
            raise ValueError(f"order {order.id} isn't reserved")
        if not order.lines:
            raise Err(f"order {order.id} has no lines")
        return f"order {order.id}: {len(order.lines)} lines are on their way"

    def leave(self, status: int) -> bool:
        print(f"leaving with {status}", file=sys.stderr, flush=True)
        sys.exit(status)


class WitWorld(WitWorld):
    def python(self) -> str:
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    def echo(self, text: str) -> str:
        return text


def cost(line: Line) -> int:
    return line.count * line.price.amount
