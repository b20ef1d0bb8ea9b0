import Foundation
import TestSupport
import Testing

/// `diffusion tokenize`.
@Suite struct TokenizeTests {
  private struct Chunk: Decodable {
    let count: Int
    let ids: [Int]
    let weights: [Double]
  }

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    let program = try Program()
    defer { program.remove() }
    return try program.run(["tokenize"] + arguments)
  }

  @Test func printsTheIDsOfTheOwnVocabulary() throws {
    let outcome = try run(["a (photo:1.5) BREAK a"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output == "49406 320 1125 49407\n49406 320 49407\n")
    #expect(try run(["a &amp; ’", "--clean", "--plain"]).output == "49406 320 261 262 49407\n")
  }

  /// Adapters are no words; as plain text they are.
  @Test func adaptersAreTakenOut() throws {
    let outcome = try run(["a photo <lora:ink:0.8>"])
    #expect(outcome.output == "49406 320 1125 49407\n")
    #expect(outcome.errors.contains("note: adapter <lora:ink:0.8>"), "\(outcome.errors)")
    #expect(try run(["a photo <lora:ink:0.8>", "--plain"]).output != outcome.output)
    let wrong = try run(["a <lora:ink:x>"])
    #expect(wrong.code == 64 && wrong.errors.contains("expected <lora:NAME:WEIGHT>"))
  }

  @Test func printsJSON() throws {
    let outcome = try run(["a [photo]", "--json"])
    let chunks = try JSONDecoder().decode([Chunk].self, from: Data(outcome.output.utf8))
    #expect(chunks.map(\.count) == [2] && chunks[0].ids.prefix(4) == [49406, 320, 1125, 49407])
    #expect(chunks[0].ids.count == 77 && chunks[0].weights.prefix(4) == [1, 1, 1 / 1.1, 1])
  }

  @Test func explainsPieceByPiece() throws {
    let outcome = try run(["(é:1.25) 🇩", "--explain"])
    #expect(outcome.output.hasPrefix("chunk 1 of 1: 3 of 75 tokens\n"), "\(outcome.output)")
    let rows = outcome.output.split(separator: "\n").dropFirst(2).map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(rows.count == 5, "\(outcome.output)")
    #expect(rows[0] == "0 49406 1 <|startoftext|>" && rows[1].hasSuffix(" 1.25 é</w>"))
  }

  @Test func takesAModelsTokenizer() throws {
    let program = try Program()
    defer { program.remove() }
    let small = Shared.golden.appendingPathComponent("tokens/small_old")
    try FileManager.default.createDirectory(
      at: program.file("model"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: small, to: program.file("model/tokenizer"))
    let byModel = try program.run("tokenize hello --model model")
    #expect(byModel.code == 0 && byModel.output == "811 71 543 75 333 812\n", "\(byModel.errors)")
    let byFolder = try program.run(["tokenize", "hello", "--vocabulary", small.path])
    #expect(byFolder.output == byModel.output)
  }
}
