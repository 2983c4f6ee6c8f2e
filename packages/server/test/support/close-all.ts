/**
 * Does one after the other, whatever becomes of those before: what was left open would keep the process of the test.
 * Fails with what went wrong first, which is the likeliest to be the cause of the rest.
 */
export async function closeAll(...closers: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const close of closers) {
    try {
      await close()
    } catch (error) {
      errors.push(error)
    }
  }
  const [first, ...others] = errors
  for (const error of others) console.error(error)
  if (errors.length > 0) throw first
}
