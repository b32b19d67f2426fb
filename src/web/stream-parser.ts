/** Splits the text of an event stream into events. Pure. */

export interface StreamedEvent {
  readonly id: string
  readonly name: string
  readonly data: string
}

/** Splits the text of an event stream (WHATWG HTML, section 9.2.6) into events. Keeps what is incomplete. */
export class StreamParser {
  #text = ''
  #id = ''

  /** Returns the events that this part of the text completes. */
  take(part: string): StreamedEvent[] {
    const blocks = `${this.#text}${part}`.replaceAll('\r\n', '\n').split('\n\n')
    this.#text = blocks.pop() ?? ''
    return blocks.flatMap(block => this.#eventOf(block))
  }

  #eventOf(block: string): StreamedEvent[] {
    const data: string[] = []
    let name = 'message'
    for (const line of block.split('\n')) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
      if (field === 'data') data.push(value)
      else if (field === 'event') name = value
      else if (field === 'id') this.#id = value
    }
    return data.length === 0 ? [] : [{ id: this.#id, name, data: data.join('\n') }]
  }
}
