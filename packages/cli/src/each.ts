import { complain, say, type Context } from './context.ts'
import { EXIT, messageOf } from './failures.ts'

/** One container after the other; one that fails does not keep the others from theirs. */
export async function forEach(
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
): Promise<number> {
  let code: number = EXIT.ok
  for (const name of names) {
    try {
      const line = await act(name)
      if (line !== undefined) await say(context, line)
    } catch (error) {
      if (context.signal.aborted) throw error
      code = EXIT.failed
      await complain(context, messageOf(error))
    }
  }
  return code
}
