import TextTokenizer
import Testing

/// How prompts become chunks of one length.
@Suite struct PromptChunkTests {
  private static let (start, end, comma) = (49406, 49407, 267)

  /// The tokens of each chunk without markers and filling.
  private func tokens(
    _ prompt: String, backtracking: Int = 20, _ tokenizer: CLIPTokenizer
  ) -> [[Int]] {
    tokenizer.chunks(of: .init(parsing: prompt), commaBacktracking: backtracking).map {
      Array($0.ids[1..<$0.count + 1])
    }
  }

  @Test func weightsStandBesideTheirTokens() throws {
    let chunks = try Files.clip.get().chunks(of: .init(parsing: "a (photo:1.5) [of]"))
    let chunk = try #require(chunks.first)
    #expect(chunks.count == 1 && chunk.count == 3)
    #expect(chunk.ids == [Self.start, 320, 1125, 539] + [Int](repeating: Self.end, count: 73))
    #expect(chunk.weights == [1, 1, 1.5, 1 / 1.1] + [Double](repeating: 1, count: 73))
  }

  @Test func anEmptyPromptIsOneChunk() throws {
    var tokenizer = try Files.clip.get()
    tokenizer.padID = 0
    let expected = [Self.start, Self.end] + [Int](repeating: 0, count: 75)
    #expect(tokenizer.chunks(of: .init(parsing: "")).map(\.ids) == [expected])
    #expect(tokenizer.encode("") == expected)
  }

  @Test func encodingCutsTheEndAndKeepsTheMarker() throws {
    let ids = try Files.clip.get().encode(String(repeating: "a ", count: 200))
    #expect(ids == [Self.start] + [Int](repeating: 320, count: 75) + [Self.end])
    #expect(try Files.clip.get().encode("a a a", length: 4) == [Self.start, 320, 320, Self.end])
  }

  @Test func longPromptsFillOneChunkAfterTheOther() throws {
    let tokenizer = try Files.clip.get()
    for (count, expected) in [(75, [75]), (76, [75, 1]), (150, [75, 75]), (151, [75, 75, 1])] {
      let chunks = tokens(String(repeating: "a ", count: count), tokenizer)
      #expect(chunks.map(\.count) == expected, "\(count) tokens")
    }
  }

  @Test func breakStartsAChunk() throws {
    let tokenizer = try Files.clip.get()
    #expect(tokens("a BREAK photo", tokenizer) == [[320], [1125]])
    #expect(tokens("a BREAK", tokenizer) == [[320]])
    #expect(tokens("BREAK a", tokenizer) == [[], [320]])
  }

  /// A comma 5 tokens before the end of a chunk takes what follows it along; one 30 before does not.
  @Test func aLateCommaEndsAChunk() throws {
    let tokenizer = try Files.clip.get()
    func prompt(_ before: Int) -> String {
      String(repeating: "a ", count: before) + "," + String(repeating: " a", count: 100 - before)
    }
    #expect(tokens(prompt(69), tokenizer).map(\.count) == [70, 31])
    #expect(tokens(prompt(69), tokenizer).first?.last == Self.comma)
    #expect(tokens(prompt(69), backtracking: 0, tokenizer).map(\.count) == [75, 26])
    #expect(tokens(prompt(55), tokenizer).map(\.count) == [56, 45])
    #expect(tokens(prompt(54), tokenizer).map(\.count) == [75, 26])
    #expect(tokens(prompt(74), tokenizer).map(\.count) == [75, 26])
    #expect(tokens(prompt(75), tokenizer).map(\.count) == [75, 26])
  }

  @Test func aPlaceholderOfSeveralVectorsStaysTogether() throws {
    let vocabulary = try Files.clip.get().vocabulary
    let vectors = [49408, 49409, 49410]
    let tokenizer = CLIPTokenizer(
      vocabulary: vocabulary,
      added: [AddedToken("<cat-toy>", ids: vectors), AddedToken("sks", ids: [49411])])
    #expect(tokens("a <Cat-Toy> sks asks", tokenizer) == [[320] + vectors + [49411, 7953]])
    let weighted = tokenizer.chunks(of: .init(parsing: "(<cat-toy>:1.5)")).first
    #expect(weighted?.weights.prefix(5) == [1, 1.5, 1.5, 1.5, 1])
    let late = tokens(String(repeating: "a ", count: 73) + "<cat-toy> a", tokenizer)
    #expect(late.map(\.count) == [73, 4] && late.last == vectors + [320])
  }
}
