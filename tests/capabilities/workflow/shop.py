"""A lender of bikes, whose loans go from state to state; a business of the tests' own, with its records."""

from __future__ import annotations

from typing import Any

import yaml

LOAN = """
label: Loan
title: "{number}"
fields:
  number: {type: text, required: true}
  state:
    type: choice
    default: Asked for
    choices:
      asked: {label: Asked for, color: gray}
      lent: {label: Lent, color: orange}
      late: {label: Late, color: red}
      back: {label: Brought back, color: green}
  deposit: {type: money, default: 0}
  fee: {type: money, default: 0}
  total: {type: money, compute: deposit + fee}
  lent_on: date
  lender: user
  place: text
  note: {type: text, max_length: 10}
  bikes: {type: table, of: bike}
rules:
  - {check: "state != 'lent' or fee < 100", message: "{fee} is too much to lend for.", field: state}
  - {check: "state != 'lent' or count(bikes) < 3", message: At most two bikes are lent at a time.}
workflow:
  field: state
  actions:
    lend:
      label: Lend out
      from: [asked]
      to: lent
      roles: [clerk, boss]
      if: deposit > fee
      else: "The deposit of {deposit} does not cover the fee."
      require: [place, bikes]
      set: {lent_on: today(), lender: user, fee: deposit / 3, note: place}
    warn: {from: [lent], to: late, roles: [boss], comment: required}
    take_back: {from: [lent, late], to: back, comment: optional, confirm: "All of {number} there?"}
    forget: {to: asked}
"""
BIKE = 'title: "{name}"\nfields: {name: text}'
APP = "name: Bikes\ncurrency: EUR\nroles: {clerk: {can: [view, add, change]}, boss: {can: [view, add, change]}}"


def documents() -> dict[str, Any]:
    return {"app.yaml": yaml.safe_load(APP), "loan.yaml": yaml.safe_load(LOAN), "bike.yaml": yaml.safe_load(BIKE)}
