import type { Api } from '../api.ts'
import { write, type Context } from '../context.ts'
import { Joined } from './joined.ts'
import { DetachKeys, rawKeys } from './local.ts'
import { Program, type End } from './program.ts'

export interface TalkOptions {
  readonly tty: boolean
  /** Hands on what is typed or piped. */
  readonly input: boolean
  /** False: the output is shown by somebody else. */
  readonly output?: boolean
  /** Done once connected; what it throws ends the talk. */
  readonly connected?: () => Promise<unknown>
  /** What was written before, and maybe some of what comes too; asked for once the program is connected. */
  readonly log?: () => Promise<string>
  /** Takes the size of the terminal where the stream does not. */
  readonly resize: (columns: number, rows: number) => Promise<void>
}

export interface Talked extends End {
  /** Left by the keys for it. */
  readonly left: boolean
}

/** Connects this terminal, or these pipes, with a program in a container, until one of them ends. */
export async function talk(api: Api, context: Context, url: string, options: TalkOptions): Promise<Talked> {
  const { stdout, stderr, stdin, signal } = context
  const joined = options.log === undefined ? null : new Joined((data) => write(stdout, data))
  const program = await Program.open(url, {
    trust: api.session.trust,
    signal,
    resize: options.resize,
    output: async (stream, data) => {
      if (options.output === false) return
      if (joined !== null && stream === 'stdout') await joined.take(data)
      else await write(stream === 'stderr' ? stderr : stdout, data)
    },
  })
  if (joined !== null && options.log !== undefined) void joined.begin(options.log())
  const raw = options.tty && options.input && stdin.isTTY
  const restore = raw ? rawKeys(context) : () => undefined
  const size = (): void => {
    // A program that has just ended takes no size; that is no failure.
    // A terminal of which nobody has told the size has none.
    const { isTTY, columns, rows } = stdout
    if (isTTY && columns > 0 && rows > 0) program.resize(columns, rows).catch(() => undefined)
  }
  let left = false
  try {
    if (options.tty) {
      size()
      stdout.on('resize', size)
    }
    if (options.input) {
      void pump(context, program, raw).then((gone) => {
        left = gone
        if (gone) program.leave()
      })
    }
    // A failure of it ends the talk; the end of the program ends it only when that is through.
    const [end] = await Promise.all([program.ended, options.connected?.().then(size)])
    signal.throwIfAborted()
    return { ...end, left }
  } finally {
    stdout.off('resize', size)
    restore()
    program.leave()
    stdin.destroy()
  }
}

/** True: the keys to leave were typed. */
async function pump({ stdin }: Context, program: Program, raw: boolean): Promise<boolean> {
  const keys = new DetachKeys()
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      const typed = raw ? keys.read(chunk) : chunk
      if (typed === null) return true
      await program.input(typed)
    }
  } catch {
    // Closed here, because the program has ended.
    return false
  }
  await program.endInput()
  return false
}
