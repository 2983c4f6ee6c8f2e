import { injected } from '../support/injected.ts'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastify from 'fastify'
import fc from 'fast-check'
import { mountDocs } from '../../src/edge/api/docs/mount.ts'
import { identityRoutes } from '../../src/edge/identity/identity-routes.ts'
import { casesAt, type Case, type Target } from './support/cases.ts'
import { check, type Seen } from './support/checks.ts'
import { runs } from './support/seed.ts'
import { World } from './support/world.ts'

const CASES_PER_ROUTE = 40
/** Milliseconds after which a request counts as hanging. */
const HANGS_AFTER_MS = 20_000

let world: World
before(async () => {
  world = await World.start()
})
after(() => world.machine.stop())

/** All that is registered, found by asking the router itself. */
function targets(): Target[] {
  const found: Target[] = []
  const add = (method: string, path: string, query?: readonly string[]): void => {
    if (!found.some((one) => one.method === method && one.path === path)) found.push({ method, path, query })
  }
  for (const { method, path, query } of world.machine.routes) add(method, path, query)
  for (const method of ['GET', 'POST', 'OPTIONS']) for (const path of ['/', '/v1']) add(method, path)
  const mounted = fastify({ exposeHeadRoutes: false })
  mounted.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) add(one, url)
  })
  identityRoutes(world.machine.identity).mount(mounted)
  mountDocs(mounted, [])
  return found
}

async function send(request: Case): Promise<Seen> {
  const { machine } = world
  const token = request.user === undefined ? {} : { 'x-auth-token': machine.token(request.user) }
  const answer = await Promise.race([
    injected(machine.app, {
      method: request.method,
      url: request.url,
      headers: { ...request.headers, ...token },
      ...(request.payload === undefined ? {} : { payload: request.payload }),
    }),
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error('no answer')), HANGS_AFTER_MS).unref()),
  ])
  return { status: answer.statusCode, headers: answer.headers, text: answer.body }
}

test('whatever is sent to a route, the answer is the API’s, tells nothing, and leaves nothing behind', async (t) => {
  const reached = new Map<string, Map<number, number>>()
  const all = targets()
  assert.ok(all.length > 60, `only ${all.length} routes were found`)
  for (const target of all) {
    const name = `${target.method} ${target.path}`
    const statuses = new Map<number, number>()
    let hasChanged = true
    await t.test(name, async () => {
      await fc.assert(
        fc.asyncProperty(
          casesAt(target, (path, part) => world.idents(path, part)),
          async (request) => {
            if (hasChanged) await world.ready()
            const seen = await send(request)
            hasChanged = target.method !== 'GET' && seen.status < 300
            statuses.set(seen.status, (statuses.get(seen.status) ?? 0) + 1)
            check(request, seen, world.secrets())
          },
        ),
        runs(CASES_PER_ROUTE),
      )
      assert.deepEqual(world.machine.errors, [])
    })
    reached.set(name, statuses)
  }
  for (const { method, path } of world.machine.routes) {
    const statuses = reached.get(`${method} ${path}`)
    assert.ok(statuses !== undefined && statuses.size > 0, `${method} ${path} got no case`)
  }
  await t.test('everything can be deleted, and then nothing is there', async () => {
    await world.machine.clear()
    assert.deepEqual(await world.machine.leftovers(), [])
  })
})
