import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { REGISTERED_RULES } from '../../domain/policy/default-rules.ts'
import { run } from './run.ts'

/** A state directory with these files in it, and what `zund policy` says of it. */
function place(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'zund-policy-command-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  const policy = async (...args: string[]) => {
    const out: string[] = []
    const err: string[] = []
    const code = await run(['policy', ...args, '--state-dir', directory], {
      out: (line) => out.push(line),
      err: (line) => err.push(line.replaceAll(directory, '')),
    })
    return { code, out, err }
  }
  return { directory, policy }
}

test('the list has every rule with its check string, where it comes from, and what it guards', async (t) => {
  const { policy } = place(t, {
    'policy.yaml': '"image:search": ""\n"container:start": [["role:operator"]]\n',
    'policy.d/more.yaml': '"container:get_one:hostname": "role:admin"\n',
  })
  const { code, out, err } = await policy('list')
  assert.deepEqual([code, err], [0, []])
  assert.match(out[0] ?? '', /^NAME +CHECK +ORIGIN +DESCRIPTION$/)
  assert.equal(out.length, 1 + REGISTERED_RULES.length + 1)
  const line = (name: string) => out.find((one) => one.startsWith(`${name} `))?.replaceAll(/ {2,}/g, ' | ')
  assert.equal(
    line('container:stop'),
    'container:stop | is_admin:True or project_id:%(project_id)s | default | stop a container',
  )
  assert.equal(line('image:search'), 'image:search | "" | overridden | search the registry')
  assert.equal(line('container:start'), 'container:start | [["role:operator"]] | overridden | start a container')
  assert.equal(line('container:get_one:hostname'), 'container:get_one:hostname | role:admin | added')

  const json = await policy('list', '--format', 'json')
  const rows = JSON.parse(json.out.join('\n')) as Record<string, unknown>[]
  assert.equal(rows.length, REGISTERED_RULES.length + 1)
  assert.deepEqual(rows[0], {
    name: 'context_is_admin',
    check: 'role:admin',
    origin: 'default',
    description: 'who counts as an admin',
  })
})

test('check says who passes a rule, and how the rules behind it come out', async (t) => {
  const { policy } = place(t, {
    'policy.yaml': '"context_is_admin": "role:boss"\n"mine": "\'x\':%(labels.app)s and not rule:deny_everybody"\n',
  })
  const rows: readonly (readonly [args: string, code: number, first: string])[] = [
    ['container:start --roles member --project p', 0, 'allowed   (is_admin is False)'],
    ['container:start --roles member --project p --target project_id=q', 3, 'denied   (is_admin is False)'],
    ['container:start --roles boss --project p --target project_id=q', 0, 'allowed   (is_admin is True)'],
    ['host:get_all --roles admin', 3, 'denied   (is_admin is False)'],
    ['host:get_all --roles reader,Boss', 0, 'allowed   (is_admin is True)'],
    ['host:get_all --roles reader --roles boss', 0, 'allowed   (is_admin is True)'],
    ['mine --target labels.app=x', 0, 'allowed   (is_admin is False)'],
    ['mine --target labels.app=y', 3, 'denied   (is_admin is False)'],
    ['nowhere --roles boss', 3, 'denied   (is_admin is True)'],
  ]
  for (const [args, code, first] of rows) {
    const said = await policy('check', ...args.split(' '))
    assert.deepEqual([said.code, said.out[0], said.err], [code, first, []], args)
  }
  assert.deepEqual((await policy('check', 'host:get_all', '--roles', 'boss')).out.slice(1), [
    '  passes  host:get_all: rule:context_is_admin',
    '  passes  context_is_admin: role:boss',
  ])
  assert.deepEqual((await policy('check', 'nowhere')).out.slice(1), ['  fails   nowhere: there is no such rule'])
})

test('rules and files that are wrong are told in one line each', async (t) => {
  const { policy, directory } = place(t, {
    'policy.yaml': '"host:get": "role:admin or"\n"a": "rule:b"\n"b": "rule:a"\n',
    'broken.yaml': '"a": "b',
    'good.yaml': '"host:get": "@"\n',
  })
  const { code, err } = await policy('list')
  assert.equal(code, 1)
  assert.deepEqual(err, [
    'zund policy: rule host:get, position 14: a check is missing at the end',
    'zund policy: rule a: it leads to itself: a → b → a',
  ])
  assert.equal((await policy('check', 'host:get', '--roles', 'admin')).code, 1)
  const broken = await policy('list', '--policy-file', join(directory, 'broken.yaml'))
  assert.equal(broken.code, 1)
  assert.match(broken.err.join('\n'), /^zund policy: policy file \/broken\.yaml: .+ at line 1, column \d+$/)
  const missing = await policy('list', '--policy-file', join(directory, 'none.yaml'))
  assert.deepEqual([missing.code, missing.err], [1, ['zund policy: there is no file /none.yaml']])
  assert.equal((await policy('check', 'host:get', '--policy-file', join(directory, 'good.yaml'))).code, 0)
})

test('the files are those of zun.conf', async (t) => {
  const { policy } = place(t, {
    'zun.conf':
      '[oslo_policy]\npolicy_file = rules.json\npolicy_dirs = one\npolicy_dirs = two\npolicy_default_rule = open\n',
    'rules.json': '{"host:get": "role:a", "image:pull": "role:a", "open": "@"}',
    'one/x.yaml': 'host:get: role:b\nhost:get_all: role:b\n',
    'two/x.yaml': 'host:get_all: role:c\n',
    'policy.yaml': 'host:get: "!"\n',
  })
  for (const [rule, role] of [
    ['image:pull', 'a'],
    ['host:get', 'b'],
    ['host:get_all', 'c'],
    ['nowhere', 'd'],
  ] as const) {
    for (const mine of ['a', 'b', 'c']) {
      const { code } = await policy('check', rule, '--roles', mine)
      assert.equal(code, mine === role || rule === 'nowhere' ? 0 : 3, `${rule} ${mine}`)
    }
  }
})

test('wrong use is one line and exit code 2; help is there everywhere', async (t) => {
  const { policy } = place(t)
  const rows: readonly (readonly [args: string[], line: string])[] = [
    [['lists'], "zund policy: say 'list' or 'check'; see 'zund policy --help'"],
    [['list', 'more'], "zund policy list: 'more' is not expected"],
    [['list', '--format', 'xml'], "zund policy list: --format is 'xml': it is not one of table, json"],
    [['check'], 'zund policy check: give the name of one rule'],
    [['check', 'a', 'b'], 'zund policy check: give the name of one rule'],
    [['check', 'a', '--target', 'b'], "zund policy check: --target is 'b': it is not of the form NAME=VALUE"],
    [['check', 'a', '--colour'], "zund policy: Unknown option '--colour'"],
    [['check', 'a', '--format', 'json'], 'zund policy check: --format is not for this command'],
    [['--roles', 'a', 'list'], 'zund policy list: --roles is not for this command'],
  ]
  for (const [args, line] of rows) assert.deepEqual(await policy(...args), { code: 2, out: [], err: [line] })
  for (const args of [['--help'], ['list', '--help'], ['check', '-h']]) {
    const { code, out } = await policy(...args)
    assert.equal(code, 0)
    assert.match(out.join('\n'), /^usage: zund policy list/)
  }
})
