import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { enforceRule, type Credentials, type Target } from './check.ts'
import { compileRules } from './rule-set.ts'

function decide(rule: unknown, credentials: Credentials, target: Target = {}, others: object = {}): boolean {
  const { rules } = compileRules(new Map<string, unknown>([...Object.entries(others), ['it', rule]]), 'default')
  return enforceRule('it', { rules, defaultRule: 'default', credentials, target })
}

const member = { roles: ['Member'], project_id: 'p', user_id: 'u', is_admin: false, system_scope: null }
const admin = { roles: ['admin'], project_id: 'a', user_id: 'root', is_admin: true }

test('rules decide as the language says', () => {
  const rows: readonly [unknown, Credentials, Target, boolean][] = [
    ['', member, {}, true],
    [' \n ', member, {}, true],
    ['@', member, {}, true],
    ['!', admin, {}, false],
    ['@ and !', admin, {}, false],
    // Roles.
    ['role:member', member, {}, true],
    ['role:MEMBER', member, {}, true],
    ['role:%(wanted)s', member, { wanted: 'member' }, true],
    ['role:member', { project_id: 'p' }, {}, false],
    ['role:compute:admin', { roles: ['compute:admin'] }, {}, true],
    // Operators.
    ['not role:admin', member, {}, true],
    ['not not role:admin', member, {}, false],
    ['NOT role:admin', member, {}, true],
    ['not role:member or role:member', member, {}, true],
    ['not (role:member or role:admin)', member, {}, false],
    ['role:a or role:member and project_id:p', member, {}, true],
    ['role:member or role:a and role:b', member, {}, true],
    ['role:a and role:b or role:member', member, {}, true],
    ['(role:member or role:a) and role:b', member, {}, false],
    ['role:member and project_id:x or rule:context_is_admin', admin, {}, true],
    ['( role:a OR role:member ) AND project_id:p', member, {}, true],
    ['((role:member))', member, {}, true],
    ['(project_id:%(project_id)s)', member, { project_id: 'p' }, true],
    // Credentials against the target.
    ['is_admin:True', admin, {}, true],
    ['is_admin:true', admin, {}, false],
    ['is_admin:False', member, {}, true],
    ['project_id:%(project_id)s', member, { project_id: 'p' }, true],
    ['project_id:%(project_id)s', member, { project_id: 'P' }, false],
    ['project_id:%(project_id)s', member, { project_id: 'q' }, false],
    ['project_id:%(missing)s', member, {}, false],
    ['not project_id:%(missing)s', member, {}, true],
    ['project_id:%(project_id)s', { ...member, project_id: null }, { project_id: null }, true],
    ['project_id:None', { ...member, project_id: null }, {}, true],
    ['system_scope:all', member, {}, false],
    ['nothing:None', member, {}, false],
    ['user_id:pre-%(a)s-%(b)s', { user_id: 'pre-1-True' }, { a: 1, b: true }, true],
    ['user_id:100%%', { user_id: '100%' }, {}, true],
    ['token.user.id:%(user_id)s', { token: { user: { id: 'u' } } }, { user_id: 'u' }, true],
    ['token.groups.name:ops', { token: { groups: [{ name: 'dev' }, { name: 'ops' }] } }, {}, true],
    ['roles:Member', member, {}, true],
    ['toString:x', member, {}, false],
    // Dotted names of the target: as they are written, else from object to object.
    ['user_id:%(owner.id)s', member, { owner: { id: 'u' } }, true],
    ['user_id:%(owner.id)s', member, { 'owner.id': 'u', owner: { id: 'x' } }, true],
    ['user_id:%(owner.id)s', member, { owner: 'u' }, false],
    ['user_id:%(constructor.name)s', { user_id: 'Object' }, {}, false],
    // Literals.
    ["'Member':%(kind)s", member, { kind: 'Member' }, true],
    ["'Member':%(kind)s", member, { kind: 'member' }, false],
    ['"x":%(kind)s', member, { kind: 'x' }, true],
    ['True:%(shared)s', member, { shared: true }, true],
    ['False:%(shared)s', member, { shared: 'False' }, true],
    ['None:%(host)s', member, { host: null }, true],
    ['3:%(n)s', member, { n: 3 }, true],
    ['1.5:%(n)s', member, { n: 1.5 }, true],
    ["['a', True]:x", member, {}, false],
    // The old form.
    [[], member, {}, true],
    [['role:member', 'role:x'], member, {}, true],
    [[['role:admin'], ['project_id:%(project_id)s']], member, { project_id: 'p' }, true],
    [[['role:admin', 'project_id:p']], member, {}, false],
    [[['role:member', 'project_id:p']], member, {}, true],
    [[[], ['role:admin']], member, {}, false],
    [[[]], admin, {}, false],
    [[''], admin, {}, false],
    // Unknown rules.
    ['rule:nowhere', admin, {}, false],
    ['not rule:nowhere', admin, {}, true],
    ['http://127.0.0.1/ask or role:member', member, {}, true],
    ['http://127.0.0.1/ask', member, {}, false],
    ['not http://127.0.0.1/ask', member, {}, false],
    ['not (http://127.0.0.1/ask and role:member)', member, {}, false],
    ['not (http://127.0.0.1/ask and role:other)', member, {}, true],
    ['nonsense or role:member', member, {}, true],
  ]
  for (const [rule, credentials, target, expected] of rows) {
    assert.equal(decide(rule, credentials, target), expected, JSON.stringify([rule, target]))
  }
})

test('a rule named default stands in for unknown ones', () => {
  assert.equal(decide('rule:nowhere', member, {}, { default: 'role:member' }), true)
  const { rules } = compileRules(new Map([['default', '@']]), 'other')
  assert.equal(enforceRule('nowhere', { rules, defaultRule: 'other', credentials: admin, target: {} }), false)
  assert.equal(enforceRule('nowhere', { rules, defaultRule: 'default', credentials: admin, target: {} }), true)
})

test('what is deeper than can be followed is denied, and not turned round by a `not`', () => {
  const chain = Array.from({ length: 1_500 }, (_, i): [string, string] => [`r${i}`, `rule:r${i + 1}`])
  const others = Object.fromEntries([...chain, ['r1500', '@']])
  assert.equal(decide('rule:r1400', admin, {}, others), true)
  assert.equal(decide('rule:r0', admin, {}, others), false)
  assert.equal(decide('not rule:r0', admin, {}, others), false)
  assert.equal(decide('rule:r1400 and not rule:nowhere', admin, {}, others), true)
})

const WORDS = ['and', 'or', 'not', '(', ')', 'role:x', 'rule:it', '%(a)s:b', '@', '!', "'q':%(z)s", ':', "'a:b'", '%']

test('no rule text and no target makes the evaluator throw', () => {
  const texts = fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string()), { maxLength: 30 })
  fc.assert(
    fc.property(texts, fc.dictionary(fc.string(), fc.anything()), (parts, target) => {
      assert.equal(typeof decide(parts.join(' '), member, { a: 1, ...target }), 'boolean')
    }),
  )
})

/** An expression with what it must come to, written with the parentheses that precedence makes needless left out. */
type Expression = { readonly text: string; readonly value: boolean; readonly binds: 1 | 2 | 3 }

const wrapped = (e: Expression, atLeast: number): string => (e.binds < atLeast ? `(${e.text})` : e.text)

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<Expression>(
      { text: '@', value: true, binds: 3 },
      { text: '!', value: false, binds: 3 },
      { text: 'role:member', value: true, binds: 3 },
      { text: 'project_id:%(project_id)s', value: false, binds: 3 },
      { text: 'rule:deny_everybody', value: false, binds: 3 },
    ),
    tie('expression').map((e): Expression => ({ text: `not ${wrapped(e, 3)}`, value: !e.value, binds: 3 })),
    fc.tuple(tie('expression'), tie('expression')).map(
      ([a, b]): Expression => ({
        text: `${wrapped(a, 2)} and ${wrapped(b, 2)}`,
        value: a.value && b.value,
        binds: 2,
      }),
    ),
    fc.tuple(tie('expression'), tie('expression')).map(
      ([a, b]): Expression => ({
        text: `${wrapped(a, 1)} or ${wrapped(b, 1)}`,
        value: a.value || b.value,
        binds: 1,
      }),
    ),
  ),
}))

test('any expression of and, or, not and parentheses comes to what logic says', () => {
  fc.assert(
    fc.property(expression, ({ text, value }) => {
      assert.equal(decide(text, member, { project_id: 'q' }), value, text)
      assert.equal(decide(`( ${text} )`, member, { project_id: 'q' }), value, text)
    }),
  )
})
