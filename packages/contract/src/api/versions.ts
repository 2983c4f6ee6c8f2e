/** Minor parts of the microversions that there are. */
export const MIN_MINOR = 1
export const MAX_MINOR = 40
