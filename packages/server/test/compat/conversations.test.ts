/** Every conversation of the files is held with a service of its own; then it is seen what was never talked about. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { MAX_MINOR, MIN_MINOR } from '../../src/edge/api/microversion.ts'
import type { Route } from '../../src/edge/api/route.ts'
import { Router } from '../../src/edge/api/router.ts'
import { SimMachine } from '../support/sim-machine.ts'
import { readConversations, readShapes } from './format.ts'
import { Talk, type Exchange } from './talk.ts'

const shapes = readShapes()
const exchanges: Exchange[] = []
let routes: readonly Route[]
before(async () => {
  const machine = await SimMachine.start()
  routes = machine.routes
  await machine.stop()
})

for (const { file, about, steps } of readConversations()) {
  test(`${file}: ${about}`, async (t) => {
    const machine = await SimMachine.start()
    t.after(() => machine.stop())
    machine.engine.images.publish('docker.io/library/nginx:1', { command: ['serve'] })
    const talk = new Talk(machine, shapes)
    for (const step of steps) await talk.take(step)
    exchanges.push(...talk.exchanges)
    assert.deepEqual(machine.errors, [])
  })
}

/** Routes that are there to refuse: their conversations show how. */
const REFUSING = [
  // There is only the default group.
  'POST /v1/containers/:ident/add_security_group',
  'POST /v1/containers/:ident/remove_security_group',
  // Nobody has opened the terminal.
  'POST /v1/containers/:ident/execute_resize',
  'PUT /v1/containers/:ident/logs',
  'PUT /v1/services/:action',
]

/** Exchanges at the path and with the method of a route, whatever the version. */
function exchangesAt({ method, path }: Route): Exchange[] {
  const router = new Router(routes)
  return exchanges.filter(
    (exchange) =>
      exchange.method === method && router.find(normalised(exchange.path))?.routes.some((r) => r.path === path),
  )
}

function normalised(path: string): string {
  return `/${path.split('/').filter(Boolean).join('/')}`
}

const named = (route: Route): string => `${route.method} ${route.path}`

test('every route answers in some conversation, and is there and not there at both sides of its versions', () => {
  const missing: string[] = []
  for (const route of routes) {
    const { minVersion: first = MIN_MINOR, maxVersion: last = MAX_MINOR } = route
    const answered = exchangesAt(route)
    const has = (minor: number, isServed: boolean): boolean =>
      answered.some((exchange) => exchange.minor === minor && (exchange.status !== 406) === isServed)
    const isRefusing = REFUSING.includes(named(route))
    const isAnswer = ({ minor, status }: Exchange): boolean =>
      first <= minor && minor <= last && (isRefusing ? status >= 400 && status !== 406 : status < 400)
    if (!answered.some(isAnswer)) missing.push(`${named(route)} has no ${isRefusing ? 'refusal' : 'success'}`)
    if (first > MIN_MINOR && !(has(first - 1, false) && has(first, true))) missing.push(`${named(route)}: 1.${first}`)
    if (last < MAX_MINOR && !(has(last, true) && has(last + 1, false))) missing.push(`${named(route)}: 1.${last}`)
  }
  assert.deepEqual(missing, [])
})

test('every microversion is told from the one before', () => {
  const missing: string[] = []
  for (let minor = MIN_MINOR + 1; minor <= MAX_MINOR; minor += 1) {
    const minors = exchanges.filter(({ boundary }) => boundary === minor).map((exchange) => exchange.minor)
    for (const side of [minor - 1, minor]) {
      if (!minors.includes(side)) missing.push(`boundary 1.${minor} has nothing at 1.${side}`)
    }
  }
  assert.deepEqual(missing, [])
})
