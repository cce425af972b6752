package schema

// AllTypes are the types of JSON values, as schemas name them.
var AllTypes = []string{"array", "object", "string", "integer", "number", "boolean", "null"}
