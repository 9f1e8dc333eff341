/** The one call of htmx that our modules make. */
export interface Htmx {
  ajax(verb: string, path: string, context: { target: Element; swap: string }): Promise<void>;
}
