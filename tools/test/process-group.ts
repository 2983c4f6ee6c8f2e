import { spawn, type ChildProcess } from 'node:child_process'

/** After being asked to stop, a program gets so long to say what it was doing. */
const STOP_GRACE_MS = 5_000

/**
 * Runs a program in a process group of its own, so that one signal reaches whatever it started, and nothing of that
 * stays when it ended. Gives its exit status, or the signal that ended it. `stdout`: for both of its outputs, if not ours.
 */
export async function runInGroup(
  argv: readonly string[],
  o: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal; stdout?: 'inherit' | number },
): Promise<number | string> {
  const [file = '', ...args] = argv
  const { cwd, env, stdout = 'inherit' } = o
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', stdout, stdout], detached: true })
  let killer: NodeJS.Timeout | undefined
  const stop = (): void => {
    signalGroup(child, 'SIGINT')
    killer = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_GRACE_MS)
  }
  o.signal.addEventListener('abort', stop, { once: true })
  if (o.signal.aborted) stop()
  try {
    return await new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message))
      child.on('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'nothing'))
    })
  } finally {
    o.signal.removeEventListener('abort', stop)
    clearTimeout(killer)
    signalGroup(child, 'SIGKILL')
  }
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, name)
  } catch {
    // Nobody is left.
  }
}
