/** Runs a scenario with deaths at chosen moments, each followed by a new life, until nothing is left to be done. */
import type { SimFault } from '../../src/adapters/fake/sim-faults.ts'
import type { Life } from './life.ts'
import type { Request } from './requests.ts'
import type { Scenario } from './scenarios.ts'
import { Stage } from './stage.ts'
import { assertTold } from './told.ts'
import type { Seen } from './world.ts'

export interface Disturbance {
  /** In each life the number of the checkpoint at which it dies, from 1; lives after the last one die no more. */
  readonly deaths?: readonly number[]
  /** Death right before or after one of the calls of engine and drivers, counted from 1 by those moments. */
  readonly deathAtCall?: number
  /** What goes wrong in the engine of the first host. */
  readonly fault?: SimFault
}

export interface Outcome {
  /** Checkpoints that each life passed, the last one of a life that died there being where it died. */
  readonly passed: readonly (readonly string[])[]
  /** Moments of calls that were passed: `engine:create before`. */
  readonly calls: readonly string[]
  readonly seen: Seen
  readonly effects: Readonly<Record<string, number>>
}

export async function runScenario(scenario: Scenario, disturbance: Disturbance = {}): Promise<Outcome> {
  const stage = await Stage.make(scenario.hosts)
  try {
    if (scenario.arrange !== undefined) {
      scenario.arrange(stage.world)
      // What hosts have they say at the beginning of a life.
      await stage.crash()
    }
    await stage.askAll(scenario.prepare)
    return await new ScenarioRun(stage, scenario, disturbance).toItsEnd()
  } finally {
    await stage.close()
  }
}

class ScenarioRun {
  readonly #stage: Stage
  readonly #scenario: Scenario
  readonly #disturbance: Disturbance
  readonly #passed: string[][] = [[]]
  readonly #calls: string[] = []
  /** Transactions that the newest request has had committed. */
  #commits = 0
  /** Of the request that goes out while an operation runs. */
  #meanwhile: 'waiting' | 'sending' | 'sent' = 'waiting'

  constructor(stage: Stage, scenario: Scenario, disturbance: Disturbance) {
    this.#stage = stage
    this.#scenario = scenario
    this.#disturbance = disturbance
  }

  async toItsEnd(): Promise<Outcome> {
    const { world } = this.#stage
    const { requests, meanwhile } = this.#scenario
    world.beginCounting()
    if (this.#disturbance.fault !== undefined) world.engine.calls.faults.add(this.#disturbance.fault)
    this.#stage.arm({
      onCheckpoint: (name, life) => this.#pass(name, life),
      onEngineCall: (name, moment, life) => this.#call(`${name} ${moment}`, life),
      onDeath: () => this.#mourn(),
    })
    for (const request of requests) await this.#askUntilAccepted(request)
    if (meanwhile !== undefined && this.#meanwhile === 'waiting') {
      this.#meanwhile = 'sent'
      await this.#askUntilAccepted(meanwhile.request)
    }
    await this.#stage.relists()
    // What was seen then may have been mended.
    await this.#stage.rest()
    await assertTold(world)
    return { passed: this.#passed, calls: this.#calls, seen: await world.seen(), effects: world.effects() }
  }

  async #pass(name: string, life: Life): Promise<void> {
    const mine = this.#passed.at(-1)
    mine?.push(name)
    if (name === 'accept:after') this.#commits += 1
    if (mine?.length === this.#disturbance.deaths?.[this.#passed.length - 1]) await life.dieHere()
    const { meanwhile } = this.#scenario
    if (meanwhile?.at !== name || this.#meanwhile !== 'waiting') return
    this.#meanwhile = 'sending'
    await this.#stage.send(meanwhile.request)
    this.#meanwhile = 'sent'
  }

  async #call(moment: string, life: Life): Promise<void> {
    // Before its acceptance a request is lost, not interrupted; that is what the checkpoints around it are for.
    if (this.#passed.length > 1 || this.#passed[0]?.includes('accept:after') !== true) return
    this.#calls.push(moment)
    if (this.#calls.length === this.#disturbance.deathAtCall) await life.dieHere()
  }

  #mourn(): void {
    if (this.#meanwhile === 'sending') this.#meanwhile = this.#isUnaccepted() ? 'waiting' : 'sent'
    this.#passed.push([])
  }

  /** The newest death came right before an acceptance was written. */
  #isUnaccepted(): boolean {
    return this.#passed.findLast((life) => life.length > 0)?.at(-1) === 'accept:before'
  }

  /** A request whose acceptance a death has prevented is sent again, as users do. */
  async #askUntilAccepted(request: Request): Promise<void> {
    let again = false
    for (;;) {
      this.#commits = 0
      if (await this.#stage.ask(request, { again })) break
      if (this.#commits >= (this.#scenario.transactions ?? 1)) break
      again = true
    }
    await this.#stage.rest()
  }
}
