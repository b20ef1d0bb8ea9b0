extension TextRequest {
  /// Checks what depends on neither the model nor a picture.
  func check() throws(PipelineError) {
    try pictures.check()
    try ImageRequest.expect(
      "variation-seed", variation == nil || ending == nil,
      "a film has no variations; leave one of the two out")
    if let variation {
      try ImageRequest.expect(
        "variation-strength", (0...1).contains(variation.strength),
        "expected 0 to 1, found \(variation.strength)")
    }
    if let refinement {
      try ImageRequest.expect(
        "hires", refinement.scale > 1 && refinement.scale <= 8,
        "expected a factor above 1 to 8, found \(refinement.scale)")
      try Self.expectStrength("hires-strength", refinement.strength)
    }
  }

  static func expectStrength(_ part: String, _ strength: Double) throws(PipelineError) {
    try ImageRequest.expect(
      part, strength > 0 && strength <= 1, "expected a number above 0 to 1, found \(strength)")
  }
}
