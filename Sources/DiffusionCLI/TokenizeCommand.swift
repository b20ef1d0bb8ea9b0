import ArgumentParser
import DiffusionPipelines
import Foundation
import TextTokenizer

/// `diffusion tokenize`.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Print the ids that CLIP's text encoders take for a prompt, a line a chunk.",
    discussion: """
      Weights are read as (word) [word] (word:1.3), BREAK starts a new chunk, and \\( is a bracket. <lora:NAME:WEIGHT> is \
      taken out, as generate does.

      Example:
        diffusion tokenize "a (red:1.3) fox" --explain
      """)

  @Argument(help: "The prompt.")
  var text: String

  @Option(help: "A diffusers folder, whose tokenizer is taken (default: CLIP's own vocabulary).")
  var model: String?

  @Option(
    help: ArgumentHelp(
      "A folder or file: tokenizer.json, vocab.json with merges.txt, or OpenAI's list.",
      valueName: "path"))
  var vocabulary: String?

  @Flag(help: "Show every piece with its id and weight.")
  var explain = false

  @Flag(help: "Read brackets as text, without weights.")
  var plain = false

  @Flag(help: "Clean the text as OpenAI's own tokenizer does: quotes, HTML, stray characters.")
  var clean = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    if model != nil && vocabulary != nil {
      throw ValidationError("Give --model or --vocabulary, not both.")
    }
  }

  func run() throws {
    var tokenizer = try tokenizer()
    if clean { tokenizer.cleaning = .openAI }
    var prompt = text
    if !plain {
      let tags = try CLIPOptions.checked { try LoRATag.taken(from: &prompt) }
      for tag in tags { Console.note("note: adapter \(tag)") }
    }
    let chunks = tokenizer.chunks(of: plain ? .init(plain: prompt) : .init(parsing: prompt))
    if json.json != "-" {
      print(explain ? Explanation(tokenizer).text(of: chunks) : Self.lines(of: chunks))
    }
    try json.write(chunks.map(TokenizedChunk.init))
  }

  private func tokenizer() throws -> CLIPTokenizer {
    if let model {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: model, isDirectory: &isFolder), !isFolder.boolValue
      {
        throw TokenizerError.file(
          path: model,
          problem: "expected a diffusers folder with tokenizer/, found a file; vocabularies go to "
            + "--vocabulary")
      }
    }
    return try CLIPTokenizer(path: try model ?? vocabulary ?? EmbeddedVocabulary.path())
  }

  /// The ids from start marker to end marker, without the filling.
  private static func lines(of chunks: [PromptChunk]) -> String {
    chunks.map { chunk in
      chunk.ids.prefix(chunk.count + 2).map(String.init).joined(separator: " ")
    }.joined(separator: "\n")
  }
}

/// A chunk as JSON.
private struct TokenizedChunk: Encodable {
  let count: Int
  let ids: [Int]
  let weights: [Double]

  init(_ chunk: PromptChunk) {
    (count, ids, weights) = (chunk.count, chunk.ids, chunk.weights)
  }
}

/// A table of every token.
private struct Explanation {
  private let names: [Int: String]

  init(_ tokenizer: CLIPTokenizer) {
    var names: [Int: String] = [:]
    for (token, id) in tokenizer.vocabulary.ids {
      names[id] = BytePairVocabulary.readable(token)
    }
    for token in tokenizer.added {
      for id in token.ids { names[id] = token.content }
    }
    self.names = names
  }

  func text(of chunks: [PromptChunk]) -> String {
    chunks.enumerated().map { index, chunk in
      let capacity = chunk.ids.count - 2
      let title = "chunk \(index + 1) of \(chunks.count): \(chunk.count) of \(capacity) tokens"
      return ([title, Self.row("place", "id", "weight", "piece")] + rows(of: chunk))
        .joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private func rows(of chunk: PromptChunk) -> [String] {
    (0..<chunk.count + 2).map { place in
      let id = chunk.ids[place]
      let weight = String(format: "%.4g", chunk.weights[place])
      return Self.row("\(place)", "\(id)", weight, names[id] ?? "?")
    }
  }

  private static func row(
    _ place: String, _ id: String, _ weight: String, _ piece: String
  ) -> String {
    let columns = [(place, 5), (id, 6), (weight, 8)].map { text, width in
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    return columns.joined(separator: " ") + "  " + piece
  }
}
