"""The process that outlives the bank: pulls its signed word, remembers, renders, serves, pushes."""
