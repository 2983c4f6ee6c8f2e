/** admin-resources 8: private registries of projects, what they show and hide, and that creates use them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi, type Answer, type Request } from '../support/spec-api.ts'

const DOMAIN = 'registry.test:5000'
const PASSWORD = 'not to be told'
const LOGIN = { username: 'puller', password: PASSWORD }

interface Registry {
  readonly uuid: string
  readonly name: string | null
  readonly [field: string]: unknown
}

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ overrides: { quotaRegistries: '5' } })
  api.machine.engine.images.publish(`${DOMAIN}/team/busybox`, { command: ['serve'], auth: LOGIN })
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  await api.machine.clearRegistries()
  assert.deepEqual(api.machine.errors, [])
})

async function add(registry: object, request: Request = {}): Promise<Registry> {
  const answer = await api.ask('POST /v1/registries', { ...request, body: { registry } })
  assert.equal(answer.status, 201, answer.text)
  return (answer.body as { registry: Registry }).registry
}

async function names(query: string, request: Request = {}): Promise<unknown[]> {
  const answer = await api.ask(`GET /v1/registries${query}`, request)
  assert.equal(answer.status, 200, answer.text)
  return (answer.body as { registries: Registry[] }).registries.map(({ name }) => name)
}

async function refused(line: string, request: Request, [status, code]: readonly [number, string]): Promise<Answer> {
  const answer = await api.ask(line, request)
  assert.deepEqual([answer.status, answer.code], [status, code], `${line} ${JSON.stringify(request)}: ${answer.text}`)
  return answer
}

test('a registry is made, shown, changed and deleted, by uuid and by name, in every version', async () => {
  for (const minor of [1, 29, 30, 40]) {
    const made = await api.ask('POST /v1/registries', {
      minor,
      body: { registry: { name: 'mine', domain: DOMAIN, ...LOGIN } },
    })
    const { registry } = made.body as { registry: Registry }
    const { uuid } = registry
    assert.equal(made.status, 201)
    assert.equal(new URL(String(made.headers['location'])).pathname, `/v1/registries/${uuid}`)
    const fields = {
      uuid,
      name: 'mine',
      domain: DOMAIN,
      username: 'puller',
      password: '***',
      project_id: api.machine.projectId('red'),
      user_id: registry['user_id'],
    }
    const links = registry['links'] as { href: string; rel: string }[]
    assert.deepEqual(
      links.map(({ href, rel }) => [new URL(href).pathname, rel]),
      [
        [`/v1/registries/${uuid}`, 'self'],
        [`/registries/${uuid}`, 'bookmark'],
      ],
    )
    assert.deepEqual(registry, { ...fields, links })
    for (const ident of [uuid, uuid.toUpperCase(), uuid.replaceAll('-', ''), 'mine']) {
      assert.deepEqual((await api.ask(`GET /v1/registries/${ident}`, { minor })).body, { registry })
    }
    assert.deepEqual((await api.ask('GET /v1/registries', { minor })).body, { registries: [fields], next: null })
    const patched = await api.ask('PATCH /v1/registries/mine', {
      minor,
      body: { registry: { name: 'ours', username: 'other' } },
    })
    assert.equal(patched.status, 200)
    assert.deepEqual(patched.body, { registry: { ...registry, name: 'ours', username: 'other' } })
    assert.deepEqual((await api.ask('PATCH /v1/registries/ours', { body: { registry: {} } })).body, patched.body)
    const gone = await api.ask('DELETE /v1/registries/ours', { minor })
    assert.deepEqual([gone.status, gone.text], [204, ''])
    for (const method of ['GET', 'DELETE']) {
      await refused(`${method} /v1/registries/${uuid}`, { minor }, [404, 'registry-not-found'])
    }
    await refused('PATCH /v1/registries/ours', { body: { registry: {} } }, [404, 'registry-not-found'])
  }
})

test('only a domain is needed, and the stars say nothing of whether there is a password', async () => {
  const { uuid, name, username, password } = await add({ domain: 'registry.test' })
  assert.deepEqual([name, username, password], [null, null, '***'])
  assert.equal((await api.ask(`PATCH /v1/registries/${uuid}`, { body: { registry: LOGIN } })).status, 200)
  for (const line of ['GET /v1/registries', `GET /v1/registries/${uuid}`]) {
    for (const as of ['alice', 'admin'] as const) {
      const { text } = await api.ask(line, { as })
      assert.ok(!text.includes(PASSWORD), text)
    }
  }
})

test('a body is an object of the four known texts, and a password is not quoted when it is wrong', async () => {
  const domain = 'registry.test'
  const rows: readonly [body: unknown, field: string][] = [
    [{}, 'registry'],
    [{ registry: null }, 'registry'],
    [{ registry: [PASSWORD] }, 'registry'],
    [{ registry: PASSWORD }, 'registry'],
    [{ registry: { domain }, name: 'beside' }, 'name'],
    [{ registry: { domain, uuid: randomUUID() } }, 'uuid'],
    [{ registry: { domain, project_id: 'x' } }, 'project_id'],
    [{ registry: { domain, name: 'x' } }, 'name'],
    [{ registry: { domain, name: '-begins' } }, 'name'],
    [{ registry: { domain, name: 'has blank' } }, 'name'],
    [{ registry: { domain, name: 'x'.repeat(256) } }, 'name'],
    [{ registry: { domain, name: null } }, 'name'],
    [{ registry: { domain: '' } }, 'domain'],
    [{ registry: { domain: null } }, 'domain'],
    [{ registry: { domain: 1 } }, 'domain'],
    [{ registry: { domain: 'https://registry.test' } }, 'domain'],
    [{ registry: { domain: 'two words' } }, 'domain'],
    [{ registry: { domain: 'registry.test/' } }, 'domain'],
    [{ registry: { domain, username: '' } }, 'username'],
    [{ registry: { domain, username: null } }, 'username'],
    [{ registry: { domain, password: '' } }, 'password'],
    [{ registry: { domain, password: null } }, 'password'],
    [{ registry: { domain, password: [PASSWORD] } }, 'password'],
    [{ registry: { domain, password: PASSWORD.repeat(5_000) } }, 'password'],
  ]
  const { uuid } = await add({ name: 'mine', domain })
  for (const line of ['POST /v1/registries', `PATCH /v1/registries/${uuid}`]) {
    for (const [body, field] of rows) {
      const { title, text } = await refused(line, { body }, [400, 'schema-validation-error'])
      assert.ok(title.includes(`'${field}'`), title)
      assert.ok(!text.includes(PASSWORD), text)
    }
  }
  const { title } = await refused('POST /v1/registries', { body: { registry: { name: 'mine' } } }, [
    400,
    'schema-validation-error',
  ])
  assert.equal(title, "'domain' is a required property")
  const text = { 'content-type': 'text/plain' }
  assert.equal((await api.ask('POST /v1/registries', { headers: text, body: '{}' })).status, 415)
  await refused(`PATCH /v1/registries/${uuid}`, { headers: text, body: '{}' }, [400, 'schema-validation-error'])
  assert.deepEqual(await names(''), ['mine'], 'nothing of it was kept')
})

test('a list has filters, an order and pages, and takes no other parameter', async () => {
  for (const [name, username] of [
    ['alpha', 'u1'],
    ['gamma', 'u2'],
    ['beta', 'u1'],
  ]) {
    await add({ name, username, domain: `${name}.test` })
  }
  await add({ name: 'theirs', domain: 'theirs.test', username: 'u1' }, { as: 'bob' })
  const rows: readonly [query: string, found: string[]][] = [
    ['', ['alpha', 'gamma', 'beta']],
    ['?resource_url=registries', ['alpha', 'gamma', 'beta']],
    ['?all_projects=False', ['alpha', 'gamma', 'beta']],
    ['?sort_key=name', ['alpha', 'beta', 'gamma']],
    ['?sort_key=domain&sort_dir=desc', ['gamma', 'beta', 'alpha']],
    ['?username=u1', ['alpha', 'beta']],
    ['?username=u1&name=beta', ['beta']],
    ['?domain=gamma.test', ['gamma']],
    ['?domain=gamma', []],
    [`?project_id=${api.machine.projectId('red')}`, ['alpha', 'gamma', 'beta']],
    [`?project_id=${api.machine.projectId('blue')}`, []],
    ['?user_id=nobody', []],
  ]
  for (const [query, found] of rows) assert.deepEqual(await names(query), found, query)
  const first = (await api.ask('GET /v1/registries?limit=2&username=u1&sort_key=name')).body as { next: string }
  const { pathname, search } = new URL(first.next)
  assert.equal(pathname, '/v1/registries')
  assert.deepEqual(await names(search), [])
  const second = (await api.ask('GET /v1/registries?limit=2')).body as { next: string }
  assert.deepEqual(await names(new URL(second.next).search), ['beta'])
  await refused('GET /v1/registries?colour=red', {}, [400, 'invalid-value'])
  await refused('GET /v1/registries?password=x', {}, [400, 'invalid-value'])
  await refused('GET /v1/registries?sort_key=password', {}, [400, 'invalid-parameter-value'])
  await refused(`GET /v1/registries?marker=${randomUUID()}`, {}, [404, 'registry-not-found'])
})

test('another project’s registry is not found, an admin finds all, and a name that several have is no name', async () => {
  const mine = await add({ name: 'store', domain: 'mine.test' })
  const theirs = await add({ name: 'store', domain: 'theirs.test' }, { as: 'bob' })
  for (const line of [`GET /v1/registries/${theirs.uuid}`, `DELETE /v1/registries/${theirs.uuid}`]) {
    await refused(line, {}, [404, 'registry-not-found'])
  }
  const body = { registry: { domain: 'stolen.test' } }
  await refused(`PATCH /v1/registries/${theirs.uuid}`, { body }, [404, 'registry-not-found'])
  assert.equal((await api.ask('GET /v1/registries/store', { as: 'bob' })).status, 200)
  assert.equal((await api.ask(`GET /v1/registries/${mine.uuid}`, { as: 'admin' })).status, 200)
  await refused('GET /v1/registries/store', { as: 'admin' }, [409, 'conflict'])
  await add({ name: 'store', domain: 'mine.test' })
  for (const line of ['GET /v1/registries/store', 'DELETE /v1/registries/store']) {
    const { title } = await refused(line, {}, [409, 'conflict'])
    assert.match(title, /Please use the registry uuid instead/)
  }
  await refused('POST /v1/containers', { body: { image: 'busybox', registry: 'store' } }, [409, 'conflict'])

  assert.deepEqual(await names('', { as: 'admin' }), [])
  assert.deepEqual(await names('?all_projects=1', { as: 'admin' }), ['store', 'store', 'store'])
  await refused('GET /v1/registries?all_projects=1', {}, [403, 'policy-not-authorized'])
  const project = `project_id=${api.machine.projectId('blue')}`
  assert.deepEqual(await names(`?all_projects=1&${project}`, { as: 'admin' }), ['store'])

  await refused('POST /v1/registries', { as: 'eve', body: { registry: { domain: 'a.test' } } }, [403, 'not-authorized'])
  assert.deepEqual(await names('', { as: 'eve' }), [])
})

test('a project has at most so many as the operator lets it, also when they are asked for at once', async () => {
  const body = { registry: { domain: 'registry.test' } }
  const answers = await Promise.all(Array.from({ length: 12 }, () => api.ask('POST /v1/registries', { body })))
  assert.equal(answers.filter(({ status }) => status === 201).length, 5)
  const refusals = new Set(answers.filter(({ status }) => status !== 201).map(({ code, title }) => `${code} ${title}`))
  assert.deepEqual([...refusals], ['over-quota Quota exceeded: the project has 5 of at most 5 registries.'])
  await add({ domain: 'registry.test' }, { as: 'bob' })
})

test('a container is made with the registry of its project: short names are looked for there, with its password', async () => {
  const { uuid } = await add({ name: 'mine', domain: DOMAIN, ...LOGIN })
  for (const registry of ['mine', uuid]) {
    const made = await api.made({ image: 'team/busybox', registry })
    assert.equal(made['registry_id'], uuid)
    await api.machine.settled()
    const shown = (await api.ask(`GET /v1/containers/${made.uuid}`)).body as Record<string, unknown>
    assert.deepEqual([shown['status'], shown['image'], shown['registry_id']], ['Created', 'team/busybox', uuid])
  }
  assert.ok(api.machine.engine.images.pulls.some((pull) => pull.startsWith(`${DOMAIN}/team/busybox`)))
  const body = { image: 'team/busybox', registry: 'mine' }
  await refused('POST /v1/containers', { body: { ...body, registry: 'theirs' } }, [404, 'registry-not-found'])
  await refused('POST /v1/containers', { body, as: 'bob' }, [404, 'registry-not-found'])
  await refused('POST /v1/containers', { body, as: 'admin' }, [404, 'registry-not-found'])
  await refused('POST /v1/containers', { body: { ...body, registry: randomUUID() } }, [404, 'registry-not-found'])
  for (let n = 0; n < 2; n += 1) await add({ name: 'twins', domain: DOMAIN })
  await refused('POST /v1/containers', { body: { ...body, registry: 'twins' } }, [409, 'conflict'])
  assert.equal((await api.ask('POST /v1/containers', { minor: 30, body })).status, 400)
  assert.equal((await api.made(body, { minor: 31 }))['registry_id'], uuid)
  await api.machine.settled()
})

test('a wrong password ends the create in Error, and a new one mends it', async () => {
  const { uuid } = await add({ name: 'mine', domain: DOMAIN, username: 'puller', password: 'wrong' })
  const { uuid: box } = await api.made({ image: 'team/busybox', registry: 'mine' })
  const show = async (): Promise<Record<string, unknown>> => {
    await api.machine.settled()
    return (await api.ask(`GET /v1/containers/${box}`)).body as Record<string, unknown>
  }
  const failed = await show()
  assert.equal(failed['status'], 'Error')
  assert.ok(!JSON.stringify(failed).includes('wrong'))
  assert.equal(
    (await api.ask(`PATCH /v1/registries/${uuid}`, { body: { registry: { password: PASSWORD } } })).status,
    200,
  )
  assert.equal((await api.ask(`POST /v1/containers/${box}/rebuild`)).status, 202)
  assert.equal((await show())['status'], 'Created')
})

test('a registry stays as long as there is a container that was made with it', async () => {
  const { uuid } = await add({ name: 'mine', domain: DOMAIN, ...LOGIN })
  const { uuid: box } = await api.made({ image: 'team/busybox', registry: 'mine' })
  await api.machine.settled()
  for (const as of ['alice', 'admin'] as const) {
    const { title } = await refused(`DELETE /v1/registries/${uuid}`, { as }, [409, 'conflict'])
    assert.equal(title, `Registry ${uuid} is in use by a container.`)
  }
  await api.ask(`DELETE /v1/containers/${box}`)
  await api.machine.settled()
  assert.equal((await api.ask(`DELETE /v1/registries/${uuid}`)).status, 204)
})
