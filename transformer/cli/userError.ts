/** An error that is the user's to solve: printed without where the command was. */

export class UserError extends Error {}
