import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { RequestContext } from '../context.ts'
import { PolicyEngine } from './policy-engine.ts'
import { parsePolicy, PolicyFileError } from './policy-files.ts'

const MEMBER: RequestContext = {
  requestId: 'req-1',
  publicUrl: null,
  token: '',
  caller: {
    userId: 'u',
    userName: 'u',
    userDomainId: 'default',
    userDomainName: 'Default',
    projectId: 'p',
    projectName: 'p',
    projectDomainId: 'default',
    projectDomainName: 'Default',
    roles: ['member'],
  },
  isAdmin: false,
  minor: 40,
  signal: new AbortController().signal,
}

const ALLOW = '"host:get_all": "role:member"\n'
const DENY = '"host:get_all": "role:admin"\n'

/** A directory with a policy in it, and a clock that goes when it is told to. */
class Place {
  readonly directory: string
  readonly told: string[] = []
  #now = 0

  constructor(t: TestContext) {
    this.directory = mkdtempSync(join(tmpdir(), 'zund-policy-'))
    t.after(() => rmSync(this.directory, { recursive: true, force: true }))
  }

  path(name = 'policy.yaml'): string {
    return join(this.directory, name)
  }

  write(text: string, name?: string): void {
    writeFileSync(this.path(name), text)
  }

  /** As careful editors do it. */
  replace(text: string): void {
    this.write(text, 'new')
    renameSync(this.path('new'), this.path())
  }

  engine(): PolicyEngine {
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: (fields: object) => this.told.push(String((fields as { why: unknown }).why).replaceAll(this.directory, '')),
      error: () => undefined,
    }
    const ticks = () => this.#now
    return new PolicyEngine({ file: this.path(), dirs: [this.path('policy.d'), this.path('more.d')], log, ticks })
  }

  /** What the engine says when it has looked at the files once more. */
  allows(engine: PolicyEngine, rule = 'host:get_all'): boolean {
    this.#now += 1_000
    return engine.allows(rule, MEMBER)
  }
}

test('without a file the registered rules hold, and one that comes later is read', (t) => {
  const place = new Place(t)
  const engine = place.engine()
  assert.equal(place.allows(engine), false)
  place.write(ALLOW)
  assert.equal(place.allows(engine), true)
  assert.deepEqual(place.told, [])
})

test('a file that is written or put in the place of the old one is read anew, and only then', (t) => {
  const place = new Place(t)
  place.write(ALLOW)
  const engine = place.engine()
  assert.equal(place.allows(engine), true)
  const { version } = engine
  assert.equal(place.allows(engine), true)
  assert.equal(engine.version, version)
  place.replace(DENY)
  assert.equal(place.allows(engine), false)
  assert.equal(engine.version, version + 1)
  place.write(`${ALLOW}# and more\n`)
  assert.equal(place.allows(engine), true)
  place.write('')
  assert.equal(place.allows(engine), false, 'an empty file overrides nothing')
  assert.deepEqual(place.told, [])
})

test('while the file is broken or gone the last good rules stay, and each change for the worse is told once', (t) => {
  const place = new Place(t)
  place.write(ALLOW)
  const engine = place.engine()
  const { version } = engine
  const still = (): void => {
    for (let look = 0; look < 3; look += 1) assert.equal(place.allows(engine), true)
    assert.equal(engine.version, version)
  }
  place.replace('"host:get_all": "role:admin')
  still()
  assert.equal(place.told.length, 1)
  assert.match(place.told[0] ?? '', /^policy file \/policy\.yaml: Missing closing "quote at line 1, column 28$/)
  place.replace('- a list')
  still()
  rmSync(place.path())
  still()
  assert.deepEqual(place.told.slice(1), [
    'policy file /policy.yaml: it is not a mapping of names to rules',
    'policy file /policy.yaml is gone',
  ])
  place.write(DENY)
  assert.equal(place.allows(engine), false)
  assert.equal(place.told.length, 3)
})

test('a file that cannot be used at the start is an error that names it', (t) => {
  const place = new Place(t)
  for (const [text, message] of [
    ['"a": "b', /policy\.yaml: Missing closing/],
    ['just words', /policy\.yaml: it is not a mapping/],
    ['"a": "@"\n"a": "!"\n', /policy\.yaml: Map keys must be unique at line 2, column 1$/],
    ['"a": !\n', /policy\.yaml: rule a: the check ! must be written in quotes/],
    ['"a": !role x\n', /policy\.yaml: Unresolved tag: !role/],
    ['"a": @\n', /policy\.yaml: .*@ at line 1/],
  ] as const) {
    place.write(text)
    assert.throws(
      () => place.engine(),
      (error) => error instanceof PolicyFileError && message.test(error.message) && !error.message.includes('\n'),
      text,
    )
  }
})

test('a rule that cannot be read denies everybody, and one line says where it is wrong', (t) => {
  const place = new Place(t)
  place.write('"host:get_all": "role:member or"\n"container:create": "rule:container:create"\n')
  const engine = place.engine()
  assert.equal(place.allows(engine), false)
  assert.equal(place.allows(engine, 'container:create'), false)
  assert.equal(place.allows(engine, 'container:get_all'), true)
  assert.deepEqual(place.told, [
    'rule host:get_all, position 15: a check is missing at the end',
    'rule container:create: it leads to itself: container:create → container:create',
  ])
})

test('files of the directories come on top, by name, and their coming and going is seen', (t) => {
  const place = new Place(t)
  place.write(DENY)
  const engine = place.engine()
  assert.equal(place.allows(engine), false)
  mkdirSync(place.path('policy.d'))
  place.write(DENY, 'policy.d/10.yaml')
  place.write(ALLOW, 'policy.d/20.yaml')
  place.write(DENY, 'policy.d/.30.yaml.swp')
  mkdirSync(place.path('policy.d/40'))
  assert.equal(place.allows(engine), true)
  mkdirSync(place.path('more.d'))
  place.write('{"host:get_all": "!"}', 'more.d/00.json')
  assert.equal(place.allows(engine), false)
  rmSync(place.path('more.d'), { recursive: true })
  assert.equal(place.allows(engine), true)
  rmSync(place.path('policy.d'), { recursive: true })
  assert.equal(place.allows(engine), false)
  assert.deepEqual(place.told, [])
})

test('the file has the old and the new form', () => {
  const rules = { 'quota:get': [['role:admin'], ['project_id:%(project_id)s']], 'image:search': '@' }
  for (const text of [
    JSON.stringify(rules),
    JSON.stringify(rules, null, '\t'),
    '# comment\n"quota:get": [["role:admin"], ["project_id:%(project_id)s"]]\n"image:search": "@"\n',
    '---\nquota:get:\n- - role:admin\n- - project_id:%(project_id)s\nimage:search: "@"\n',
  ]) {
    assert.deepEqual(Object.fromEntries(parsePolicy(text)), rules, text)
  }
  for (const text of ['', '# nothing\n', '---\n', '{}', 'null']) assert.equal(parsePolicy(text).size, 0, text)
})

test('the rules that the contract gives as examples are all read without a complaint', (t) => {
  const place = new Place(t)
  place.write(`
"context_is_admin": "role:admin or role:zun_admin"
"container:create": "role:member and project_id:%(project_id)s or rule:context_is_admin"
"container:create:privileged": "rule:context_is_admin"
"container:get_one:environment": "user_id:%(user_id)s"
"image:search": "@"
"network:attach_external_network": ""
"registry:create": "!"
"capsule:create": "not role:reader"
"quota:get": [["role:admin"], ["project_id:%(project_id)s"]]
`)
  const engine = place.engine()
  const expected = {
    context_is_admin: false,
    'container:create': true,
    'container:create:privileged': false,
    'container:get_one:environment': true,
    'image:search': true,
    'network:attach_external_network': true,
    'registry:create': false,
    'capsule:create': true,
    'quota:get': true,
  }
  for (const [rule, allowed] of Object.entries(expected)) assert.equal(place.allows(engine, rule), allowed, rule)
  assert.deepEqual(place.told, [])
  assert.deepEqual(
    [engine.defines('container:get_one:environment'), engine.defines('container:get_one:name')],
    [true, false],
  )
})
