/** Of a variable: one that is empty is not set. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
