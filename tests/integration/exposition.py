#!/usr/bin/env python3
"""Reads Prometheus' text exposition format (version 0.0.4), strictly.

usage: exposition.py                       samples, one a line: name, labels as JSON, value
       exposition.py NAME [LABEL=VALUE...] the value of that sample; nothing when there is none

Standard input is the exposition. The first fault is told on standard error, with its line,
and the status is 1. Beyond what the format demands, every sample must have a HELP and a
TYPE, and there are no blank lines and no other comments.
"""
import json
import re
import sys

NAME = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*')
LABEL = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*')
VALUE = re.compile(r'NaN|[+-]Inf|[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?')
TYPES = {'counter', 'gauge', 'histogram', 'summary', 'untyped'}


class Fault(Exception):
    pass


class Line:
    """One line, taken apart from the left."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def take(self, pattern, what):
        found = pattern.match(self.text, self.at)
        if not found:
            raise Fault(f'{what} expected at {self.text[self.at:self.at + 20]!r}')
        self.at = found.end()
        return found.group()

    def skip(self, text):
        if not self.text.startswith(text, self.at):
            raise Fault(f'{text!r} expected at {self.text[self.at:self.at + 20]!r}')
        self.at += len(text)

    def sees(self, text):
        return self.text.startswith(text, self.at)

    def at_end(self):
        return self.at == len(self.text)

    def label_value(self):
        self.skip('"')
        value = []
        while not self.sees('"'):
            if self.at_end():
                raise Fault('a label value does not end')
            char = self.text[self.at]
            if char == '\\':
                self.at += 1
                escape = self.text[self.at:self.at + 1]
                if escape not in ('\\', '"', 'n') or not escape:
                    raise Fault(f'unknown escape \\{escape}')
                char = '\n' if escape == 'n' else escape
            value.append(char)
            self.at += 1
        self.skip('"')
        return ''.join(value)

    def labels(self):
        labels = {}
        if not self.sees('{'):
            return labels
        self.skip('{')
        while not self.sees('}'):
            name = self.take(LABEL, 'a label name')
            self.skip('=')
            if name in labels:
                raise Fault(f'label {name} twice')
            labels[name] = self.label_value()
            if not self.sees('}'):
                self.skip(',')
        self.skip('}')
        return labels


def read_help(line):
    if re.search(r'\\(?![\\n])', line.text[line.at:]):
        raise Fault('unknown escape in a HELP')
    if line.at_end():
        raise Fault('empty HELP')


def read(data):
    """A list of (name, labels, value)."""
    samples, seen = [], set()
    told = {}       # name -> the words of its comments
    current = None  # the metric whose lines are under way
    finished = set()
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError as error:
        raise Fault(f'not UTF-8: {error}') from error
    if text and not text.endswith('\n'):
        raise Fault('the last line has no line end')
    for number, content in enumerate(text.split('\n')[:-1], 1):
        line = Line(content)
        try:
            comment = None
            if line.sees('#'):
                line.skip('# ')
                comment = line.take(re.compile('HELP|TYPE'), 'HELP or TYPE')
                line.skip(' ')
            name = line.take(NAME, 'a metric name')
            if name != current:
                if name in finished:
                    raise Fault(f'the lines of {name} do not stand together')
                if current:
                    finished.add(current)
                current = name
            words = told.setdefault(name, set())
            if comment:
                if comment in words or 'sample' in words:
                    raise Fault(f'{comment} of {name} twice, or behind a sample')
                words.add(comment)
                line.skip(' ')
                if comment == 'HELP':
                    read_help(line)
                elif line.text[line.at:] not in TYPES:
                    raise Fault(f'unknown type {line.text[line.at:]!r}')
                continue
            if not {'HELP', 'TYPE'} <= words:
                raise Fault(f'{name} has no HELP or no TYPE')
            words.add('sample')
            labels = line.labels()
            line.skip(' ')
            value = line.take(VALUE, 'a number')
            if not line.at_end():
                line.skip(' ')
                line.take(re.compile('-?[0-9]+'), 'a time')
            if not line.at_end():
                raise Fault(f'more behind the value: {line.text[line.at:]!r}')
            key = (name, tuple(sorted(labels.items())))
            if key in seen:
                raise Fault(f'{name} twice with the same labels')
            seen.add(key)
            samples.append((name, labels, value))
        except Fault as fault:
            raise Fault(f'line {number}: {fault}') from fault
    return samples


def main():
    try:
        samples = read(sys.stdin.buffer.read())
    except Fault as fault:
        sys.exit(f'exposition: {fault}')
    if len(sys.argv) > 1:
        wanted = dict(word.split('=', 1) for word in sys.argv[2:])
        for name, labels, value in samples:
            if name == sys.argv[1] and labels == wanted:
                print(value)
        return
    for name, labels, value in samples:
        print(f'{name}\t{json.dumps(labels, sort_keys=True)}\t{value}')


if __name__ == '__main__':
    main()
