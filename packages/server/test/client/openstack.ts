/** The OpenStack client that Debian ships, as a user has it: command lines in, text out. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse } from 'yaml'
import { COMMAND_NAMES } from './commands.ts'
import { PYTHON, Window } from './window.ts'

const SERVER = join(import.meta.dirname, 'client_server.py')

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Order {
  readonly program?: 'openstack' | 'zun'
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the client's real code; see client_server.py for how that is quick. */
export class ClientRunner {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (said: Said) => void>()
  #count = 0

  constructor() {
    this.#child = spawn(PYTHON, [SERVER], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.#child.stdout === null) throw new Error('no standard output')
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, ...said } = JSON.parse(line) as Said & { id: number }
      this.#waiting.get(id)?.(said)
      this.#waiting.delete(id)
    })
    this.#child.on('exit', (code, signal) => {
      for (const tell of this.#waiting.values()) tell({ code: -1, out: '', err: `the client ended: ${code ?? signal}` })
    })
  }

  async run({ program = 'openstack', argv, cwd = '/', env = {} }: Order): Promise<Said> {
    this.#count += 1
    const id = this.#count
    return await new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.stdin?.write(`${JSON.stringify({ id, program, argv, cwd, env })}\n`)
    })
  }

  /** Ends when the commands that run have ended. */
  close(): void {
    this.#child.stdin?.end()
  }
}

/** A user at a shell whose OS_CLIENT_CONFIG_FILE and OS_CLOUD are set. */
export class User {
  readonly #runner: ClientRunner
  readonly #env: Readonly<Record<string, string>>
  readonly #cloudsYaml: string
  readonly #cloud: string
  readonly #ran: Set<string>

  /** `ran`: the commands that were run are noted in it. */
  constructor(runner: ClientRunner, cloudsYaml: string, cloud: string, ran: Set<string>) {
    this.#runner = runner
    this.#env = { OS_CLIENT_CONFIG_FILE: cloudsYaml, OS_CLOUD: cloud }
    this.#cloudsYaml = cloudsYaml
    this.#cloud = cloud
    this.#ran = ran
  }

  /** `line` is split at its blanks, `rest` is not: `run('appcontainer exec web', 'sh', '-c', 'echo a b')`. */
  async run(line: string, ...rest: readonly string[]): Promise<Said> {
    const command = this.#commandOf(line)
    if (command !== undefined) this.#ran.add(command)
    return await this.#runner.run({ argv: [...line.split(' '), ...rest], env: this.#env })
  }

  /** It must succeed without a word of complaint; answers what it printed. */
  async ok(line: string, ...rest: readonly string[]): Promise<string> {
    const said = await this.run(line, ...rest)
    assert.deepEqual({ code: said.code, err: said.err }, { code: 0, err: '' }, `openstack ${line} ${rest.join(' ')}`)
    return said.out
  }

  /** With `-f json`. */
  async json<T>(line: string, ...rest: readonly string[]): Promise<T> {
    const command = this.#commandOf(line)
    assert.ok(command !== undefined, `${line} is no command`)
    return JSON.parse(await this.ok(line.replace(command, `${command} -f json`), ...rest)) as T
  }

  /** It must fail as the client fails when it was told why; answers what it was told. */
  async refused(line: string, ...rest: readonly string[]): Promise<string> {
    const { code, out, err } = await this.run(line, ...rest)
    assert.equal(code, 1, `openstack ${line}: ${out}${err}`)
    assert.doesNotMatch(err, /Traceback/)
    return err
  }

  /** The client's own program in a terminal window. */
  window(line: string, ...rest: readonly string[]): Window {
    const command = this.#commandOf(line)
    if (command !== undefined) this.#ran.add(command)
    return new Window(['openstack', ...line.split(' '), ...rest], this.#env, [31, 97])
  }

  /** The older client of the same package, which knows no clouds.yaml. It must succeed; answers what it printed. */
  async zun(line: string): Promise<string> {
    const env = variablesOf(this.#cloudsYaml, this.#cloud)
    const { code, out, err } = await this.#runner.run({ program: 'zun', argv: line.split(' '), env })
    assert.equal(code, 0, `zun ${line}: ${out}${err}`)
    return out
  }

  #commandOf(line: string): string | undefined {
    return LONGEST_FIRST.find((command) => `${line} `.includes(`${command} `))
  }
}

const LONGEST_FIRST = COMMAND_NAMES.toSorted((a, b) => b.length - a.length)

/** What a clouds.yaml says of a cloud, as variables of the environment. */
function variablesOf(file: string, cloud: string): Record<string, string> {
  const { clouds } = parse(readFileSync(file, 'utf8')) as {
    clouds: Record<string, { auth: Record<string, string>; region_name: string }>
  }
  const { auth = {}, region_name = '' } = clouds[cloud] ?? {}
  return Object.fromEntries(
    Object.entries({ ...auth, region_name }).map(([name, value]) => [`OS_${name.toUpperCase()}`, value]),
  )
}
