import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

test('the client needs nothing but the contract', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const imported = files.flatMap((name) =>
    [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, from]) => from ?? '',
    ),
  )
  assert.ok(imported.length > 10)
  assert.deepEqual(
    imported.filter((from) => !from.startsWith('./') && !from.startsWith('@zund/contract/')),
    [],
  )
})
