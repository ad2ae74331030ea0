/* Server-sent events out of text that arrives in any pieces (HTML, section 9.2.6). */

export interface Block {
  kind: string;
  id?: string;
  data: string;
}

function parse(lines: string[]): Block {
  const block: Block = { kind: "message", data: "" };
  const data: string[] = [];
  for (const line of lines) {
    const at = line.indexOf(":");
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (name === "event") block.kind = value;
    else if (name === "data") data.push(value);
    else if (name === "id") block.id = value;
  }
  block.data = data.join("\n");
  return block;
}

export class BlockReader {
  private rest = "";
  private lines: string[] = [];

  /** The blocks that this piece completes. */
  take(piece: string): Block[] {
    const text = this.rest + piece;
    // a trailing CR may be the first half of a CRLF: leave it for the next piece
    const cut = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, cut).split(/\r\n|\r|\n/);
    this.rest = (lines.pop() ?? "") + text.slice(cut);
    const blocks: Block[] = [];
    for (const line of lines) {
      if (line !== "") {
        this.lines.push(line);
      } else if (this.lines.length > 0) {
        blocks.push(parse(this.lines));
        this.lines = [];
      }
    }
    return blocks;
  }
}
