import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineEvent } from '../../../src/orchestration/ports/engine.ts'
import { soon, type EngineBench } from '../../support/engine-harness.ts'
import { until } from '../../support/until.ts'

/** Follows the events until it is aborted. */
class Follower {
  readonly seen: EngineEvent[] = []
  readonly #stop = new AbortController()
  readonly done: Promise<unknown>

  constructor(bench: EngineBench, sinceMs: number) {
    this.done = this.#follow(bench, sinceMs).catch((error: unknown) => error)
  }

  async #follow(bench: EngineBench, sinceMs: number): Promise<void> {
    for await (const event of bench.engine.events(sinceMs, { signal: this.#stop.signal })) this.seen.push(event)
  }

  actionsOf(uuid: string): string[] {
    return this.seen.filter((event) => event.containerUuid === uuid).map((event) => event.action)
  }

  async until(uuid: string, action: string): Promise<void> {
    await until(`${action} is told`, async () => this.actionsOf(uuid).includes(action))
  }

  stop(reason: Error): void {
    this.#stop.abort(reason)
  }
}

export function eventTests(get: () => EngineBench): void {
  test('events begin with the advice to list, then tell what happens to our containers', async () => {
    const bench = get()
    const follower = new Follower(bench, Date.now())
    await until('the stream stands', async () => follower.seen.length > 0)
    assert.equal(follower.seen[0]?.kind, 'resync')
    const uuid = await bench.run()
    await follower.until(uuid, 'start')
    await bench.engine.pause(uuid, soon())
    await bench.engine.unpause(uuid, soon())
    await follower.until(uuid, 'unpause')
    await bench.engine.kill(uuid, null, soon())
    await follower.until(uuid, 'die')
    await bench.engine.remove(uuid, true, soon())
    await follower.until(uuid, 'destroy')
    const told = follower.actionsOf(uuid).filter((action) => TOLD.includes(action))
    assert.deepEqual(told, TOLD)
    const reason = new Error('enough')
    follower.stop(reason)
    assert.equal(await follower.done, reason)
  })

  test('events of the past are told to those who ask for them', async () => {
    const bench = get()
    const begin = Date.now() - 1_000
    const uuid = await bench.script('exit 1')
    const follower = new Follower(bench, begin)
    await follower.until(uuid, 'die')
    assert.deepEqual(
      follower.actionsOf(uuid).filter((action) => ['create', 'start', 'die'].includes(action)),
      ['create', 'start', 'die'],
    )
    const times = follower.seen.filter((event) => event.containerUuid === uuid).map((event) => event.atMs)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    follower.stop(new Error('enough'))
    await follower.done
  })

  test('what has happened to one container is known when it is gone', async () => {
    const bench = get()
    const past = async (of: string) =>
      (await bench.engine.pastEvents(of, soon())).filter(({ action }) => ENDS.includes(action))
    const uuid = await bench.run({ command: ['sh', '-c', 'exit 3'], autoRemove: true })
    await until('the container is gone', async () => (await bench.engine.inspect(uuid, soon())) === undefined)
    const events = await until('its removal is told', async () => {
      const told = await past(uuid)
      return told.length === 4 ? told : undefined
    })
    assert.deepEqual(
      events.map(({ containerUuid, action, exitCode }) => [containerUuid, action, exitCode]),
      ENDS.map((action) => [uuid, action, action === 'die' ? 3 : undefined]),
    )
    const broken = await bench.create({ command: ['/no/such/program'], autoRemove: true })
    await assert.rejects(bench.engine.start(broken, soon()))
    await until('a failed start is none', async () => {
      const told = (await past(broken)).map(({ action }) => action)
      return told.includes('destroy') && !told.includes('start') && !told.includes('die')
    })
    assert.deepEqual(await past('00000000-0000-4000-8000-000000000000'), [])
  })
}

const ENDS = ['create', 'start', 'die', 'destroy']

const TOLD = ['create', 'start', 'pause', 'unpause', 'die', 'destroy']
