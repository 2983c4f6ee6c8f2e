import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { enforceRule, parseRule, type Credentials, type Target } from './check.ts'
import { DEFAULT_RULES } from './default-rules.ts'

function decide(rule: unknown, credentials: Credentials, target: Target = {}): boolean {
  const rules = new Map(Object.entries({ ...DEFAULT_RULES, it: rule }).map(([k, v]) => [k, parseRule(v)]))
  return enforceRule('it', { rules, defaultRule: 'default', credentials, target })
}

const member = { roles: ['Member'], project_id: 'p', user_id: 'u', is_admin: false }
const admin = { roles: ['admin'], project_id: 'a', user_id: 'root', is_admin: true }

test('rules decide as the language says', () => {
  const rows: readonly [unknown, Credentials, Target, boolean][] = [
    ['', member, {}, true],
    ['@', member, {}, true],
    ['!', admin, {}, false],
    [[], member, {}, true],
    ['role:member', member, {}, true],
    ['role:MEMBER', member, {}, true],
    ['not role:admin', member, {}, true],
    ['not not role:admin', member, {}, false],
    ['is_admin:True', admin, {}, true],
    ['is_admin:true', admin, {}, false],
    ['project_id:%(project_id)s', member, { project_id: 'p' }, true],
    ['project_id:%(project_id)s', member, { project_id: 'q' }, false],
    ['project_id:%(missing)s', member, {}, false],
    ['project_id:%(project_id)s', { ...member, project_id: null }, { project_id: null }, true],
    ['role:a or role:member and project_id:p', member, {}, true],
    ['role:member and project_id:x or rule:context_is_admin', admin, {}, true],
    ['(role:a or role:member) and project_id:q', member, {}, false],
    ['( role:a OR role:member ) AND project_id:p', member, {}, true],
    ["'Member':%(kind)s", member, { kind: 'Member' }, true],
    ['rule:nowhere', admin, {}, false],
    ['rule:it', admin, {}, false],
    ['nonsense', admin, {}, false],
    ['role:admin role:member', admin, {}, false],
    ['role:admin and', admin, {}, false],
    [[['role:admin'], ['project_id:%(project_id)s']], member, { project_id: 'p' }, true],
    [[['role:admin', 'project_id:p']], member, {}, false],
    ['http://127.0.0.1/ask', admin, {}, false],
  ]
  for (const [rule, credentials, target, expected] of rows) {
    assert.equal(decide(rule, credentials, target), expected, JSON.stringify(rule))
  }
})

test('no rule text makes the evaluator throw', () => {
  const words = fc.constantFrom(
    'and',
    'or',
    'not',
    '(',
    ')',
    'role:x',
    'rule:it',
    '%(a)s:b',
    '@',
    '!',
    "'q':%(z)s",
    ':',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 30 }), (parts) => {
      assert.equal(typeof decide(parts.join(' '), member, { a: 1 }), 'boolean')
    }),
  )
})
