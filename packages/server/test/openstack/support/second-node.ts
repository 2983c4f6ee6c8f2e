/** The other machine of the suite's own cloud, which has an agent of Neutron and an engine as well. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TestEngine } from '../../support/test-engine.ts'
import { cloudsYaml } from './accounts.ts'

export interface SecondNode {
  readonly name: string
  /** Put before a command, it runs there. */
  readonly enter: readonly string[]
  readonly engine: TestEngine
}

export function secondNode(): SecondNode {
  const directory = dirname(cloudsYaml())
  const name = 'node-2'
  const pid = readFileSync(join(directory, `${name}.pid`), 'utf8').trim()
  return {
    name,
    enter: ['nsenter', `--target=${pid}`, '--net', '--mount', '--uts', '--'],
    engine: new TestEngine(join(directory, `${name}.docker.sock`)),
  }
}
