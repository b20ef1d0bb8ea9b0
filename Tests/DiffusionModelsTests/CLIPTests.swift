import DiffusionModels
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// CLIP's encoders against the reference's full outputs.
@Suite struct CLIPTests {
  @Test(arguments: ["clip_text", "clip_text_projected"])
  func textsAgree(_ name: String) throws {
    let golden = try LatentGolden(name)
    let isProjected = name.hasSuffix("projected")
    var unset = ParameterInitializer.unset
    var encoder = CLIPTextEncoder(
      try golden.configuration(CLIPConfiguration.self), hasProjection: isProjected,
      initializer: &unset)
    try encoder.loadParameters(from: try golden.weights)
    let output = encoder(try golden.texts())
    expectClose(output.last, try golden.tensor("last"), tolerance: 2e-5)
    expectClose(
      encoder.states(output, skipping: 1, normed: false), try golden.tensor("penultimate"),
      tolerance: 2e-5)
    if isProjected {
      expectClose(try #require(output.projected), try golden.tensor("projected"), tolerance: 2e-5)
    } else {
      expectClose(output.pooled, try golden.tensor("pooled"), tolerance: 2e-5)
    }
  }

  @Test func picturesAgree() throws {
    let golden = try LatentGolden("clip_vision")
    var unset = ParameterInitializer.unset
    var encoder = CLIPVisionEncoder(
      try golden.configuration(CLIPConfiguration.self), hasProjection: true, initializer: &unset)
    try encoder.loadParameters(from: try golden.weights)
    let output = encoder(try golden.picture("pixels"))
    expectClose(
      output.hiddenStates[output.hiddenStates.count - 1], try golden.tensor("last"),
      tolerance: 2e-5)
    expectClose(try #require(output.projected), try golden.tensor("projected"), tolerance: 2e-5)
  }

  static func pair() throws -> (LatentGolden, CLIPPair) {
    let golden = try LatentGolden("clip")
    var unset = ParameterInitializer.unset
    var pair = CLIPPair(
      text: try golden.configuration(CLIPConfiguration.self, under: "text_config"),
      vision: try golden.configuration(CLIPConfiguration.self, under: "vision_config"),
      projectionWidth: 10, initializer: &unset)
    try pair.load(from: try golden.weights)
    return (golden, pair)
  }

  @Test func pairAgrees() throws {
    let (golden, pair) = try Self.pair()
    let texts = pair.embedded(texts: try golden.texts())
    let pictures = pair.embedded(pictures: try golden.picture("pixels"))
    expectClose(texts, try golden.tensor("texts"), tolerance: 2e-5)
    expectClose(pictures, try golden.tensor("pictures"), tolerance: 2e-5)
    expectClose(
      pair.logits(pictures: pictures, texts: texts), try golden.tensor("logits"), tolerance: 2e-5)
  }

  /// Both directions' cross-entropies by hand.
  @Test func contrastiveLossIsTheMeanOfBothDirections() throws {
    let (golden, pair) = try Self.pair()
    let logits = try golden.tensor("logits")
    let (a, b) = (logits.logSoftmax(axis: 1).doubles, logits.logSoftmax(axis: 0).doubles)
    let expected = -(a[0] + a[3] + b[0] + b[3]) / 4
    let loss = pair.contrastiveLoss(
      pictures: try golden.tensor("pictures"), texts: try golden.tensor("texts"))
    #expect(abs(loss.doubles[0] - expected) < 1e-5)
  }
}
