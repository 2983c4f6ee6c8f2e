/** admin-resources 6 and 7: what projects and classes may have, who may see and change it, and that it holds. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { EngineRefused } from '../../src/domain/errors.ts'
import type { User } from '../support/sim-machine.ts'
import { SpecApi, type Answer } from '../support/spec-api.ts'

/** Of the configuration, where nothing else is said. */
const CONFIGURED = { containers: 40, memory: 51_200, cpu: 20, disk: 100 }

let api: SpecApi
let red: string
before(async () => {
  api = await SpecApi.start()
  red = api.machine.projectId('red')
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  await api.machine.store.write(async (tx) => {
    await tx.quotas.clear(['project', red])
    await tx.quotas.clear(['class', 'default'])
  })
})

async function asked(line: string, as: User = 'admin', body?: object): Promise<unknown> {
  const answer = await api.ask(line, { as, body })
  assert.equal(answer.status, 200, `${line}: ${answer.text}`)
  return answer.body
}

async function inUse(): Promise<Record<string, number>> {
  const shown = (await asked(`GET /v1/quotas/${red}?usages=True`, 'alice')) as Record<string, { in_use: number }>
  return Object.fromEntries(Object.entries(shown).map(([name, { in_use }]) => [name, in_use]))
}

async function limit(limits: object): Promise<void> {
  await asked(`PUT /v1/quotas/${red}`, 'admin', limits)
}

async function create(body: object): Promise<Answer> {
  return await api.ask('POST /v1/containers', { body: { image: 'busybox', ...body } })
}

test('a project has its own limit, else that of the default class, else the configured one', async () => {
  assert.deepEqual(await asked(`GET /v1/quotas/${red}`), CONFIGURED)
  assert.deepEqual(await asked('PUT /v1/quota_classes/default', 'admin', { cpu: '8', memory: 4096 }), {
    ...CONFIGURED,
    cpu: 8,
    memory: 4096,
  })
  assert.deepEqual(await asked(`PUT /v1/quotas/${red}`, 'admin', { cpu: 4, disk: '-1' }), {
    containers: 40,
    memory: 4096,
    cpu: 4,
    disk: -1,
  })
  assert.deepEqual(await asked(`PUT /v1/quotas/${red}`, 'admin', {}), {
    containers: 40,
    memory: 4096,
    cpu: 4,
    disk: -1,
  })
  assert.deepEqual(await asked(`GET /v1/quotas/${red}/defaults`, 'alice'), { ...CONFIGURED, cpu: 8, memory: 4096 })
  assert.equal(await asked(`DELETE /v1/quotas/${red}`), null)
  assert.equal(await asked(`DELETE /v1/quotas/${red}`), null, 'there is nothing left to take back')
  assert.deepEqual(await asked(`GET /v1/quotas/${red}`, 'alice'), { ...CONFIGURED, cpu: 8, memory: 4096 })
})

test('only the class called default has an effect, and one that nobody has made shows what is configured', async () => {
  assert.deepEqual(await asked('GET /v1/quota_classes/gold'), CONFIGURED)
  assert.deepEqual(await asked('PUT /v1/quota_classes/gold?containers=7'), { ...CONFIGURED, containers: 7 })
  assert.deepEqual(await asked('GET /v1/quota_classes/gold'), { ...CONFIGURED, containers: 7 })
  assert.deepEqual(await asked('GET /v1/quota_classes/default'), CONFIGURED)
  assert.deepEqual(await asked(`GET /v1/quotas/${red}`), CONFIGURED)
})

test('usages are shown when they are asked for, whatever the spelling', async () => {
  await api.made({ cpu: 0.1, memory: 64, disk: 2 })
  await api.made({ cpu: 0.2, memory: 64, disk: 1 })
  const nested = {
    containers: { limit: 40, in_use: 2 },
    memory: { limit: 51_200, in_use: 128 },
    cpu: { limit: 20, in_use: 0.3 },
    disk: { limit: 100, in_use: 3 },
  }
  for (const yes of ['True', 'true', '1', 'yes']) {
    assert.deepEqual(await asked(`GET /v1/quotas/${red}?usages=${yes}`, 'alice'), nested, yes)
  }
  for (const no of ['False', '0', '']) {
    assert.deepEqual(await asked(`GET /v1/quotas/${red}?usages=${no}`, 'alice'), CONFIGURED, no)
  }
  const odd = await api.ask(`GET /v1/quotas/${red}?usages=perhaps`)
  assert.deepEqual([odd.status, odd.code], [400, 'schema-validation-error'])
})

test('a limit is a whole number from -1, also as text, and nothing else has one', async () => {
  const rows: readonly [body: unknown, code: string, said: RegExp][] = [
    [{ cpu: -2 }, 'invalid-quota-value', /cpu/],
    [{ cpu: '-2' }, 'invalid-quota-value', /cpu/],
    [{ memory: 2_000_000_001 }, 'invalid-quota-value', /memory/],
    [{ memory: '9'.repeat(400) }, 'invalid-quota-value', /memory/],
    [{ cpu: 1.5 }, 'schema-validation-error', /'cpu'/],
    [{ cpu: '1.5' }, 'schema-validation-error', /'cpu'/],
    [{ cpu: '' }, 'schema-validation-error', /'cpu'/],
    [{ cpu: null }, 'schema-validation-error', /'cpu'/],
    [{ cpu: true }, 'schema-validation-error', /'cpu'/],
    [{ containers: [1] }, 'schema-validation-error', /'containers'/],
    [{ cpu: 1, gpus: 1 }, 'schema-validation-error', /'gpus'/],
  ]
  for (const path of [`/v1/quotas/${red}`, '/v1/quota_classes/default']) {
    for (const [body, code, said] of rows) {
      const answer = await api.ask(`PUT ${path}`, { as: 'admin', body })
      assert.deepEqual([answer.status, answer.code], [400, code], JSON.stringify(body))
      assert.match(answer.title, said)
    }
    const tooLong = await api.ask(`PUT ${path}${'x'.repeat(256)}`, { as: 'admin', body: { cpu: 1 } })
    assert.equal(tooLong.status, 400)
    assert.deepEqual(await asked(`GET ${path}`), CONFIGURED, 'nothing of it was kept')
    assert.equal(((await asked(`PUT ${path}?cpu=3`, 'admin', { cpu: 4 })) as { cpu: number }).cpu, 3, 'the query wins')
  }
})

test('members see their own limits, operators see and change all, in every version', async () => {
  const own = `/v1/quotas/${red}`
  const rows: readonly [line: string, as: User, rule: string | null][] = [
    [`GET ${own}`, 'alice', null],
    [`GET ${own}/defaults`, 'alice', null],
    [`GET ${own}`, 'bob', 'quota:get'],
    [`GET ${own}?usages=True`, 'bob', 'quota:get'],
    [`GET ${own}/defaults`, 'bob', 'quota:get_default'],
    [`GET ${own}`, 'eve', 'quota:get'],
    [`PUT ${own}`, 'alice', 'quota:update'],
    [`DELETE ${own}`, 'alice', 'quota:delete'],
    ['GET /v1/quota_classes/default', 'alice', 'quota_class:get'],
    ['PUT /v1/quota_classes/default', 'alice', 'quota_class:update'],
    [`GET ${own}`, 'admin', null],
    [`PUT ${own}`, 'admin', null],
    [`DELETE ${own}`, 'admin', null],
    ['GET /v1/quotas/never-heard-of/defaults', 'admin', null],
    ['GET /v1/quota_classes/default', 'admin', null],
    ['PUT /v1/quota_classes/default', 'admin', null],
  ]
  for (const [line, as, rule] of rows) {
    for (const minor of [1, 25, 26, 40]) {
      const answer = await api.ask(line, { as, minor })
      if (rule === null) assert.equal(answer.status, 200, `${line} by ${as}: ${answer.text}`)
      else {
        assert.deepEqual([answer.status, answer.code], [403, 'policy-not-authorized'], `${line} by ${as}`)
        assert.equal(answer.title, `Policy doesn't allow ${rule} to be performed.`)
      }
    }
  }
  assert.equal((await api.ask('GET /v1/quotas', { as: 'admin' })).status, 404)
  assert.equal((await api.ask(`POST ${own}`, { as: 'admin' })).status, 405)
})

test('a hundred creates at once at a limit of ten make exactly ten', async () => {
  await limit({ containers: 10, cpu: -1, memory: -1 })
  const answers = await Promise.all(Array.from({ length: 100 }, async () => await create({ memory: 64 })))
  const refused = answers.filter(({ status }) => status !== 202)
  assert.equal(answers.length - refused.length, 10)
  for (const { status, code, title } of refused) {
    assert.deepEqual(
      [status, code, title],
      [403, 'over-quota', 'Quota exceeded for resources: containers (containers: 10 of 10 used, 1 more asked)'],
    )
  }
  const { containers } = (await api.ask('GET /v1/containers')).body as { containers: unknown[] }
  assert.equal(containers.length, 10)
  assert.equal((await inUse())['containers'], 10)
})

test('all that is exceeded is named, sorted, with the numbers', async () => {
  await limit({ containers: 1, cpu: 2, memory: 100, disk: 5 })
  await api.made({ cpu: 1.5, memory: 64, disk: 3 })
  const { status, code, title } = await create({ cpu: 1, memory: 64, disk: 3 })
  assert.deepEqual([status, code], [403, 'over-quota'])
  assert.equal(
    title,
    'Quota exceeded for resources: containers, cpu, disk, memory (containers: 1 of 1 used, 1 more asked; ' +
      'cpu: 1.5 of 2 used, 1 more asked; disk: 3 of 5 used, 3 more asked; memory: 64 of 100 used, 64 more asked)',
  )
  // A limit below what is in use takes nothing away, and lets nothing more in.
  await limit({ containers: 0, cpu: -1, memory: -1, disk: -1 })
  assert.equal((await create({})).code, 'over-quota')
  assert.equal((await inUse())['containers'], 1)
  await limit({ containers: -1 })
  assert.equal((await create({})).status, 202)
})

test('the default class binds who has no limit of his own', async () => {
  await asked('PUT /v1/quota_classes/default', 'admin', { containers: 0 })
  assert.equal((await create({})).code, 'over-quota')
  await limit({ containers: 1 })
  assert.equal((await create({})).status, 202)
})

test('what was deleted, refused, or failed and then deleted takes up nothing', async () => {
  const nothing = { containers: 0, memory: 0, cpu: 0, disk: 0 }
  assert.equal((await create({ image: 'No Image' })).status, 400)
  assert.deepEqual(await inUse(), nothing)

  const { uuid } = await api.made({ cpu: 1, memory: 64, disk: 2 })
  await api.machine.settled()
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`)).status, 204)
  await api.machine.settled()
  assert.deepEqual(await inUse(), nothing)

  api.machine.engine.calls.faults.add({ call: 'create', trouble: { kind: 'refuse', error: new EngineRefused('no') } })
  const broken = await api.made({ cpu: 1, memory: 64 })
  await api.machine.settled()
  const shown = (await api.ask(`GET /v1/containers/${broken.uuid}`)).body as { status: string }
  assert.equal(shown.status, 'Error')
  assert.deepEqual(await inUse(), { containers: 1, memory: 64, cpu: 1, disk: 0 }, 'a record in Error is there')
  await api.ask(`DELETE /v1/containers/${broken.uuid}`)
  await api.machine.settled()
  assert.deepEqual(await inUse(), nothing)
})

test('a resize takes up what it grows by, and gives back what it shrinks by or could not get', async () => {
  await limit({ cpu: 4 })
  const { uuid } = await api.made({ cpu: 1, memory: 256 })
  await api.machine.settled()
  const resize = async (body: object): Promise<number> =>
    (await api.ask(`PATCH /v1/containers/${uuid}`, { body })).status
  assert.equal(await resize({ cpu: 5 }), 403)
  assert.equal(await resize({ cpu: 4 }), 200)
  assert.deepEqual(await inUse(), { containers: 1, memory: 256, cpu: 4, disk: 0 })
  assert.equal(await resize({ cpu: 0.5, memory: 64 }), 200)
  assert.deepEqual(await inUse(), { containers: 1, memory: 64, cpu: 0.5, disk: 0 })
  api.machine.engine.calls.faults.add({ call: 'update', trouble: { kind: 'refuse', error: new EngineRefused('no') } })
  assert.equal(await resize({ cpu: 3 }), 409)
  assert.deepEqual(await inUse(), { containers: 1, memory: 64, cpu: 0.5, disk: 0 })
})

test('resizes at once of several containers cannot fill the same room', async () => {
  await limit({ cpu: 10 })
  const made = await Promise.all(Array.from({ length: 5 }, async () => await api.made({ cpu: 1 })))
  await api.machine.settled()
  // None of them has come to its end when the others are looked at.
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  api.machine.engine.calls.faults.add({
    call: 'update',
    times: 5,
    trouble: { kind: 'hold', until: held, reached: () => undefined },
  })
  const answers = await Promise.all(
    made.map(({ uuid }) => api.ask(`POST /v1/containers/${uuid}/resize_container`, { body: { cpu: 3 } })),
  )
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [202, 202, 403, 403, 403],
  )
  assert.match(answers.find(({ status }) => status === 403)?.title ?? '', /cpu: 9 of 10 used, 2 more asked/)
  assert.equal((await create({ cpu: 2 })).code, 'over-quota')
  release()
  await api.machine.settled()
  assert.equal((await inUse())['cpu'], 9)
})

test('one container asked to grow twice holds the larger of both once', async () => {
  await limit({ cpu: 10 })
  const { uuid } = await api.made({ cpu: 1 })
  await api.machine.settled()
  const line = `POST /v1/containers/${uuid}/resize_container`
  const answers = await Promise.all([8, 9, 10, 10.5].map((cpu) => api.ask(line, { body: { cpu } })))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202, 403],
  )
  await api.machine.settled()
  assert.equal((await inUse())['cpu'], 10)
})

test('with quotas switched off everything is unlimited, and nothing is counted', async () => {
  const free = await SpecApi.start({
    overrides: { quotaDriver: 'zun.common.quota.NoopQuotaDriver', quotaContainers: '0' },
  })
  try {
    const unlimited = { containers: -1, memory: -1, cpu: -1, disk: -1 }
    const project = free.machine.projectId('red')
    const rows = [
      `PUT /v1/quotas/${project}?containers=0`,
      `GET /v1/quotas/${project}`,
      `GET /v1/quotas/${project}/defaults`,
      'PUT /v1/quota_classes/default?containers=0',
      'GET /v1/quota_classes/default',
    ]
    for (const line of rows) assert.deepEqual((await free.ask(line, { as: 'admin' })).body, unlimited, line)
    await free.made({})
    assert.deepEqual(
      (await free.ask(`GET /v1/quotas/${project}?usages=1`)).body,
      Object.fromEntries(Object.keys(unlimited).map((name) => [name, { limit: -1, in_use: -1 }])),
    )
    await free.machine.clearContainers()
  } finally {
    await free.stop()
  }
})
