import assert from 'node:assert/strict';
import test from 'node:test';
import { featuresOf } from '../build/features.mjs';
import { toolchain } from './toolchain.mjs';

const ts = await toolchain.typescript();

test('only what is used of the clock, of chance and of requests is imported', () => {
  const cases = {
    'Math.max(1, 2)': [],
    'Math.random()': ['random'],
    'const { random } = Math;': ['random'],
    'crypto.randomUUID()': ['random'],
    'new Date("2026-01-31")': [],
    'Date.parse("2026-01-31") + Date.UTC(2026, 1)': [],
    'new Date()': ['clocks'],
    'new Date': ['clocks'],
    'Date.now()': ['clocks'],
    'const Day = Date;': ['clocks'],
    'value instanceof Date': [],
    'setTimeout(() => {}, 1)': ['clocks'],
    'await fetch("https://x.example")': ['http'],
    'globalThis.fetch("https://x.example")': ['http'],
    'globalThis["x"]': [],
    'const fetch = (x) => x; fetch(1);': [],
    'function f(Date) { return Date.now(); }': [],
    'client.fetch(1); ({ fetch: 1 }); ({ fetch() {} });': [],
    'fetch(Date.now(), Math.random())': ['clocks', 'random', 'http'],
  };
  for (const [code, features] of Object.entries(cases)) assert.deepEqual(featuresOf(ts, code), features, code);
});
