import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { enforceRule } from './check.ts'
import { compileRules, problemText } from './rule-set.ts'

const credentials = { roles: ['admin'], project_id: 'p', user_id: 'u', is_admin: true }

function compiled(rules: object, defaultRule = 'default') {
  const { rules: set, problems } = compileRules(new Map(Object.entries(rules)), defaultRule)
  const allows = (name: string) => enforceRule(name, { rules: set, defaultRule, credentials, target: {} })
  return { allows, lines: problems.map(problemText) }
}

test('what is wrong with a rule is one line with its name and the position, and the rule denies', () => {
  const rows: readonly [unknown, string][] = [
    ['role:admin role:member', "rule it, position 12: 'role:member' is not expected here"],
    ['role:admin and', 'rule it, position 15: a check is missing at the end'],
    ['role:admin or or @', "rule it, position 15: a check is missing before 'or'"],
    ['and @', "rule it, position 1: a check is missing before 'and'"],
    ['@ or (role:admin', "rule it, position 6: this '(' is not closed"],
    ['@ or (role:admin @)', "rule it, position 18: '@' is not expected here"],
    ['@)', "rule it, position 2: ')' is not expected here"],
    ['()', "rule it, position 2: a check is missing before ')'"],
    ['not', 'rule it, position 4: a check is missing at the end'],
    ["@ or 'role:admin'", "rule it, position 6: 'role:admin' is a text in quotes and not a check"],
    [`${'('.repeat(300)}@${')'.repeat(300)}`, 'rule it, position 202: more than 200 levels inside each other'],
    [null, 'rule it: a rule is a text or a list'],
    [true, 'rule it: a rule is a text or a list'],
    [{ role: 'admin' }, 'rule it: a rule is a text or a list'],
    [['@', 7], 'rule it: a list of checks holds texts, or lists of texts'],
    [[[['@']]], 'rule it: a list of checks holds texts, or lists of texts'],
  ]
  for (const [rule, line] of rows) {
    const { allows, lines } = compiled({ it: rule })
    assert.deepEqual(lines, [line])
    assert.equal(allows('it'), false, line)
  }
})

test('a single check that cannot be made is told of, and the others of its rule still count', () => {
  const rows: readonly [string, string][] = [
    ['nonsense', "'nonsense' is not of the form KIND:MATCH and never matches"],
    ['https://policy.example/ask', 'no other server is asked by a rule: this check decides nothing'],
  ]
  for (const [check, why] of rows) {
    const { allows, lines } = compiled({ alone: check, other: `${check} or role:admin` })
    assert.deepEqual(lines, [`rule alone, position 1: ${why}`, `rule other, position 1: ${why}`])
    assert.deepEqual([allows('alone'), allows('other')], [false, true])
  }
  for (const [check, position] of [
    ['user_id:%(user_id)d', 9],
    ['user_id:50%', 11],
    ['role:%(a)s%d', 11],
  ] as const) {
    const { allows, lines } = compiled({ it: check })
    assert.deepEqual(lines, [
      `rule it, position ${position}: '%' begins neither %(name)s nor %%: this check never matches`,
    ])
    assert.equal(allows('it'), false)
  }
})

test('rules that lead to themselves deny, even by a `not`, with one line for each circle', () => {
  const { allows, lines } = compiled({
    self: 'not rule:self',
    a: 'rule:b or @',
    b: '@ or not rule:c',
    c: 'rule:a',
    outside: 'rule:a or role:admin',
    negated: 'not rule:a',
  })
  assert.deepEqual(lines, ['rule self: it leads to itself: self → self', 'rule a: it leads to itself: a → b → c → a'])
  for (const name of ['self', 'a', 'b', 'c']) assert.equal(allows(name), false, name)
  assert.deepEqual([allows('outside'), allows('negated')], [true, true])
})

test('an unknown name counts as the rule that stands in for it', () => {
  assert.deepEqual(compiled({ default: '@ or rule:nowhere' }).lines, [
    'rule default: it leads to itself: default → default',
  ])
  assert.deepEqual(compiled({ a: 'rule:nowhere' }).lines, [])
})

test('a rule of a file replaces the registered one, and others see it', () => {
  const { allows } = compiled({ context_is_admin: 'role:other', 'container:start': '!', mine: '@' })
  assert.deepEqual(['host:get_all', 'container:start', 'container:stop', 'mine', 'network:create'].map(allows), [
    false,
    false,
    true,
    true,
    true,
  ])
})

test('whatever rules name each other, every one of them can be decided', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const checks = fc.array(
    names.map((name) => `rule:${name}`).chain((one) => fc.constantFrom(one, `not ${one}`, '@')),
    {
      maxLength: 3,
    },
  )
  fc.assert(
    fc.property(fc.dictionary(names, checks), (rules) => {
      const texts = Object.fromEntries(Object.entries(rules).map(([name, all]) => [name, all.join(' or ')]))
      const { allows, lines } = compiled(texts)
      for (const name of Object.keys(texts)) assert.equal(typeof allows(name), 'boolean')
      // Who is said to lead to itself denies.
      for (const line of lines) assert.equal(allows(/^rule (.)/.exec(line)?.[1] ?? ''), false, line)
    }),
  )
})
