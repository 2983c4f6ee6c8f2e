/** Bounds of answers that stay open, on a simulated engine. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { SimMachine, type User } from '../support/sim-machine.ts'
import { until } from '../support/until.ts'

const REQUEST_TIMEOUT_MS = 300

let machine: SimMachine
const uuids = new Map<User, string>()
before(async () => {
  machine = await SimMachine.start({
    overrides: { streamsPerProject: '2', maxStreams: '3' },
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  })
  for (const user of ['alice', 'bob'] as const) {
    const body = { image: 'busybox', memory: 64, command: ['sh', '-c', 'echo up; sleep 1000000; echo late'] }
    const made = await machine.ask(user, 'POST', '/v1/containers?run=true', body)
    uuids.set(user, (JSON.parse(made.body) as { uuid: string }).uuid)
  }
  await machine.settled()
})
after(async () => {
  await machine.clear()
  await machine.stop()
})

async function follow(user: User): Promise<IncomingMessage> {
  const req = request({
    port: machine.port,
    path: `/v1/containers/${uuids.get(user)}/logs?follow=true`,
    headers: { 'x-auth-token': machine.token(user), 'openstack-api-version': 'container 1.40' },
    agent: false,
  })
  req.on('error', () => undefined)
  req.end()
  const [answer] = (await once(req, 'response')) as [IncomingMessage]
  return answer
}

async function refusal(user: User): Promise<readonly [status: number | undefined, text: string]> {
  const answer = await follow(user)
  let text = ''
  for await (const chunk of answer as AsyncIterable<Buffer>) text += chunk.toString()
  const { errors } = JSON.parse(text) as { errors: [{ detail: string }] }
  return [answer.statusCode, errors[0].detail]
}

test('a project has its number of streams and the process its own; places are free again when they end', async () => {
  const open = [await follow('alice'), await follow('alice'), await follow('bob')]
  for (const { statusCode } of open) assert.equal(statusCode, 200)
  assert.deepEqual(await refusal('alice'), [429, 'At most 2 streams of a project can be open at once.'])
  assert.deepEqual(await refusal('bob'), [503, 'At most 3 streams can be open at once.'])
  open[0]?.destroy()
  await until('the place is free', async () => {
    const next = await follow('bob')
    next.destroy()
    return next.statusCode === 200
  })
  for (const answer of open) answer.destroy()
})

test('an answer that stays open lasts longer than a request may take', async () => {
  let answer: IncomingMessage | undefined
  await until('there is a place', async () => {
    answer = await follow('alice')
    return answer.statusCode === 200
  })
  let text = ''
  let isEnded = false
  answer?.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => (isEnded = true))
  const begun = performance.now()
  await until('three times as long is over', async () => performance.now() - begun > 3 * REQUEST_TIMEOUT_MS)
  assert.deepEqual([text, isEnded], ['up\n', false])
  machine.engine.exit(uuids.get('alice') ?? '', 0)
  await until('it ends with the container', async () => isEnded)
})
